import type { CallState } from './state.ts';

/** How many calls are up on each trunk, in both directions together; kept by the steps of the calls, as every new call asks. */
export class TrunkCalls {
  readonly #counts = new Map<string, number>();

  on(trunk_id: string): number {
    return this.#counts.get(trunk_id) ?? 0;
  }

  appeared(state: CallState): void {
    for (const trunk_id of trunksOf(state)) this.#add(trunk_id, 1);
  }

  stepped(before: CallState, after: CallState): void {
    const [from, to] = [trunksOf(before), trunksOf(after)];
    if (from.length === to.length && from.every((trunk_id, n) => trunk_id === to[n])) return;
    for (const trunk_id of from) this.#add(trunk_id, -1);
    for (const trunk_id of to) this.#add(trunk_id, 1);
  }

  clear(): void {
    this.#counts.clear();
  }

  #add(trunk_id: string, calls: 1 | -1): void {
    const count = this.on(trunk_id) + calls;
    if (count > 0) this.#counts.set(trunk_id, count);
    else this.#counts.delete(trunk_id);
  }
}

const NONE: readonly string[] = [];

/** The trunks that a channel of the call is on right now: that which it came by, and that which it goes on by; one may be both. */
function trunksOf(state: CallState): readonly string[] {
  if (state.phase === 'settling' || state.phase === 'over') return NONE;
  const out =
    state.phase === 'dialling' || state.phase === 'talking' ? (state.attempts.at(-1)?.trunk_id ?? null) : null;
  if (state.arrival.source.kind !== 'trunk') return out === null ? NONE : [out];
  const came_by = state.arrival.source.trunk;
  // Nobody came: a call that the switch makes by itself takes up a line of the trunk that it will go out by from its first moment.
  const is_own = 'plan' in state && state.plan.direction === 'outbound';
  if (out === null || is_own) return [out ?? came_by];
  return [came_by, out];
}
