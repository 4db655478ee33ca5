import type { RateIndex } from '../../rating/index/rate_index.ts';

/**
 * What each carrier's deck asks for a slot, in micros and side by side; -1 where a deck does not reach it. In the index the prices of
 * one slot lie as far apart as decks are large, so each is a wait for memory; a slot is read from there once, when it is first asked for.
 */
export class SlotPrices {
  readonly #index: RateIndex;
  readonly #decks: number;
  readonly #prices: Float64Array;
  readonly #is_read: Uint8Array;

  constructor(index: RateIndex) {
    this.#index = index;
    this.#decks = index.buy_decks.length;
    this.#prices = new Float64Array(index.slots * this.#decks);
    this.#is_read = new Uint8Array(index.slots);
  }

  /** @param deck its place among the index's buy decks. */
  of(slot: number, deck: number): number {
    if (this.#is_read[slot] !== 1) this.#read(slot);
    return this.#prices[slot * this.#decks + deck] ?? -1;
  }

  #read(slot: number): void {
    for (let deck = 0; deck < this.#decks; deck += 1) {
      this.#prices[slot * this.#decks + deck] = this.#index.buyPrice(slot, deck);
    }
    this.#is_read[slot] = 1;
  }
}
