import type { CallState } from './state.ts';

/** How many calls are up on each trunk, in both directions together; kept by the steps of the calls, as every new call asks. */
export class TrunkCalls {
  readonly #counts = new Map<string, number>();

  on(trunk_id: string): number {
    return this.#counts.get(trunk_id) ?? 0;
  }

  appeared(state: CallState): void {
    this.#add(trunkOf(state), 1);
  }

  stepped(before: CallState, after: CallState): void {
    const [from, to] = [trunkOf(before), trunkOf(after)];
    if (from === to) return;
    this.#add(from, -1);
    this.#add(to, 1);
  }

  clear(): void {
    this.#counts.clear();
  }

  #add(trunk_id: string | null, calls: 1 | -1): void {
    if (trunk_id === null) return;
    const count = this.on(trunk_id) + calls;
    if (count > 0) this.#counts.set(trunk_id, count);
    else this.#counts.delete(trunk_id);
  }
}

/** The trunk whose channel the call takes up right now; null when none does. */
function trunkOf(state: CallState): string | null {
  if (state.phase === 'settling' || state.phase === 'over') return null;
  if (state.arrival.source.kind === 'trunk') return state.arrival.source.trunk;
  return state.phase === 'dialling' || state.phase === 'talking' ? (state.attempts.at(-1)?.trunk_id ?? null) : null;
}
