import type { Routing, Sale, Weights } from './text_routes.ts';

/** Places that what is asked for may lie in. */
const WAYS = 4;
const SETS = 2 ** 14;
const NOBODY = -2;
/** A prime that spreads the prices of one slot over the places: customers of many decks ask for the same country. */
const SPREAD = 40_503;

/**
 * What was worked out lately, by slot and price. A slot has a few places and whatever comes there last takes one, so that nothing is
 * ever forgotten as a whole, and no key has to be put together to find it.
 *
 * Kept is what is asked for a second time, as objects that live on cost the garbage collector more than it costs to make them anew.
 */
export class RouteMemory {
  readonly #slots = new Int32Array(SETS * WAYS).fill(NOBODY);
  readonly #sales: Sale[] = new Array<Sale>(SETS * WAYS).fill(null);
  /** One for each country that differs, and the same for all others. */
  readonly #weights: (Weights | null)[] = new Array<Weights | null>(SETS * WAYS).fill(null);
  readonly #routings: (Routing | null)[] = new Array<Routing | null>(SETS * WAYS).fill(null);
  /** Which slot was worked out last, of those that share their places, and which of the places is the next to be taken. */
  readonly #asked = new Int32Array(SETS).fill(NOBODY);
  readonly #turns = new Uint8Array(SETS);

  /** Prices or carriers are others now: nothing that was worked out holds, and the tables are of use again. */
  clear(): void {
    this.#slots.fill(NOBODY);
    this.#sales.fill(null);
    this.#weights.fill(null);
    this.#routings.fill(null);
    this.#asked.fill(NOBODY);
  }

  find(slot: number, sale: Sale, weights: Weights): Routing | null {
    const first = setOf(slot, sale) * WAYS;
    for (let at = first; at < first + WAYS; at += 1) {
      if (this.#slots[at] !== slot || this.#weights[at] !== weights) continue;
      if (isAlike(this.#sales[at] ?? null, sale)) return this.#routings[at] ?? null;
    }
    return null;
  }

  keep(slot: number, sale: Sale, weights: Weights, routing: Routing): void {
    const set = setOf(slot, sale);
    if (this.#asked[set] !== slot) {
      this.#asked[set] = slot;
      return;
    }
    const turn = ((this.#turns[set] ?? 0) + 1) % WAYS;
    this.#turns[set] = turn;
    const at = set * WAYS + turn;
    this.#slots[at] = slot;
    this.#sales[at] = sale;
    this.#weights[at] = weights;
    this.#routings[at] = routing;
  }
}

function setOf(slot: number, sale: Sale): number {
  const price = sale === null ? 0 : Number(sale.rate_micros_per_segment);
  return (slot ^ Math.imul(price, SPREAD)) & (SETS - 1);
}

function isAlike(a: Sale, b: Sale): boolean {
  if (a === null || b === null) return a === b;
  return a.rate_micros_per_segment === b.rate_micros_per_segment && a.currency === b.currency;
}
