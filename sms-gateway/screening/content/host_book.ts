import { foldText } from './fold_text.ts';
import { hasScheme, hostsOf } from './hosts.ts';

const ANY = '*';

/** Finds hosts and what lies below them: `bit.ly` is found in `https://www.bit.ly/x`, and not in `rabbit.ly`. */
export class HostBook<T> {
  readonly #by_host = new Map<string, T[]>();

  get is_empty(): boolean {
    return this.#by_host.size === 0;
  }

  /** False where the pattern is neither `*` for any link nor the name of a host. An address as a browser shows it will do. */
  add(pattern: string, value: T): boolean {
    const folded = foldText(pattern.trim());
    const host = folded === ANY ? ANY : hostsOf(folded)[0]?.host.replace(/^www\./u, '');
    if (host === undefined) return false;
    const values = this.#by_host.get(host);
    if (values === undefined) this.#by_host.set(host, [value]);
    else values.push(value);
    return true;
  }

  find(folded: string, onFound: (value: T) => void): void {
    const hosts = hostsOf(folded);
    const any = this.#by_host.get(ANY);
    if (any !== undefined && (hasScheme(folded) || hosts.some(({ is_link }) => is_link))) any.forEach(onFound);
    for (const { host } of hosts) {
      for (let from = 0; from >= 0; from = next(host, from)) this.#by_host.get(host.slice(from))?.forEach(onFound);
    }
  }
}

/** Where the name begins without its leftmost label; -1 when it was the last. */
function next(host: string, from: number): number {
  const dot = host.indexOf('.', from);
  return dot < 0 ? -1 : dot + 1;
}
