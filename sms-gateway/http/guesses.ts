const WRONG_MAX = 20;
const WINDOW_MS = 60_000;
const ADDRESSES_MAX = 10_000;

/** Counts wrong keys by address, so that nobody can try them by the thousand. */
export class Guesses {
  readonly #now: () => number;
  readonly #wrong = new Map<string, { count: number; until_ms: number }>();

  constructor(now: () => number) {
    this.#now = now;
  }

  tooMany(address: string): boolean {
    const known = this.#wrong.get(address);
    if (known === undefined) return false;
    if (known.until_ms <= this.#now()) {
      this.#wrong.delete(address);
      return false;
    }
    return known.count >= WRONG_MAX;
  }

  wrong(address: string): void {
    const known = this.#wrong.get(address);
    if (known !== undefined) {
      known.count += 1;
      return;
    }
    if (this.#wrong.size >= ADDRESSES_MAX) this.#wrong.clear();
    this.#wrong.set(address, { count: 1, until_ms: this.#now() + WINDOW_MS });
  }
}
