import type { Routing, Sale } from './text_routes.ts';

/** Places that a slot may lie in: so many prices of one slot are remembered side by side. */
const WAYS = 4;
const SETS = 2 ** 14;
const NOBODY = -2;

/**
 * What was worked out lately, by slot and price. A slot has a few places and whatever comes there last takes one, so that nothing is
 * ever forgotten as a whole, and no key has to be put together to find it.
 *
 * Kept is what is asked for a second time: of numbers from all over the world most come once, and objects that live on cost the
 * garbage collector more than to make them anew.
 */
export class RouteMemory {
  readonly #slots = new Int32Array(SETS * WAYS).fill(NOBODY);
  readonly #sales: Sale[] = new Array<Sale>(SETS * WAYS).fill(null);
  readonly #routings: (Routing | null)[] = new Array<Routing | null>(SETS * WAYS).fill(null);
  /** Which slot was worked out last, of those that share their places. */
  readonly #asked = new Int32Array(SETS).fill(NOBODY);
  #turn = 0;

  find(slot: number, sale: Sale): Routing | null {
    const first = firstPlace(slot);
    for (let at = first; at < first + WAYS; at += 1) {
      if (this.#slots[at] === slot && isAlike(this.#sales[at] ?? null, sale)) return this.#routings[at] ?? null;
    }
    return null;
  }

  keep(slot: number, sale: Sale, routing: Routing): void {
    if (this.#asked[slot & (SETS - 1)] !== slot) {
      this.#asked[slot & (SETS - 1)] = slot;
      return;
    }
    this.#turn = (this.#turn + 1) % WAYS;
    const at = firstPlace(slot) + this.#turn;
    this.#slots[at] = slot;
    this.#sales[at] = sale;
    this.#routings[at] = routing;
  }
}

function firstPlace(slot: number): number {
  return (slot & (SETS - 1)) * WAYS;
}

function isAlike(a: Sale, b: Sale): boolean {
  if (a === null || b === null) return a === b;
  return a.rate_micros_per_segment === b.rate_micros_per_segment && a.currency === b.currency;
}
