import type { E164 } from '../../numbers/e164.ts';
import type { BuyRateRef, RateDeck, RateRef } from '../rate_deck.ts';
import type { PrefixSearch } from './prefix_trie.ts';
import type { RateColumns } from './rate_columns.ts';

/** The digits of an E.164 number begin behind its `+`. */
const FIRST_DIGIT = 1;

export type BuyDeck = { readonly deck: RateDeck; readonly carrier_id: number; readonly column: number };
type SellDeck = { readonly deck: RateDeck; readonly column: number };

export type IndexParts = {
  readonly decks: readonly RateDeck[];
  readonly search: PrefixSearch;
  /** Row of `columns` for (slot, deck), the deck varying fastest; -1 where the deck has no rate for the slot. */
  readonly rows: Int32Array;
  readonly columns: RateColumns;
  readonly next_change_at_ms: number | null;
};

/**
 * All rates that hold at one instant, for lookup by longest prefix. It never changes: a new deck or a new effective
 * date makes a new index, which replaces this one as a whole.
 *
 * One search serves all decks. The prefixes of all decks form one tree; each has a slot with one row per deck, and where
 * a deck lacks that very prefix the row of its next shorter one was copied there. So the longest prefix known to anyone
 * gives the longest prefix of each deck on its own.
 */
export class RateIndex {
  /** When the next rate begins or ends to hold, in milliseconds since 1970: build anew by then. Null for never. */
  readonly next_change_at_ms: number | null;
  readonly decks: readonly RateDeck[];
  private readonly search: PrefixSearch;
  private readonly rows: Int32Array;
  private readonly columns: RateColumns;
  /** In no order; the place of one here names it to `buyPrice`. */
  readonly buy_decks: readonly BuyDeck[];
  private readonly sell_decks: ReadonlyMap<string, SellDeck>;

  constructor(parts: IndexParts) {
    this.decks = parts.decks;
    this.search = parts.search;
    this.rows = parts.rows;
    this.columns = parts.columns;
    this.next_change_at_ms = parts.next_change_at_ms;
    this.buy_decks = parts.decks.flatMap((deck, column) =>
      deck.side === 'buy' ? [{ deck, carrier_id: deck.carrier_id, column }] : [],
    );
    this.sell_decks = new Map(
      parts.decks.flatMap((deck, column) => (deck.side === 'sell' ? [[deck.name, { deck, column }]] : [])),
    );
  }

  /** What a customer on the sell deck `deck_name` pays for this number, or null if that deck does not sell it. */
  lookupSell(number: E164, deck_name: string): RateRef | null {
    const sell = this.sell_decks.get(deck_name);
    const slot = this.search.find(number, FIRST_DIGIT);
    if (!sell || slot < 0) return null;
    const row = this.rows[slot * this.decks.length + sell.column] ?? -1;
    if (row < 0) return null;
    const { columns } = this;
    return {
      deck: sell.deck,
      rate: columns.rate(row),
      prefix: number.slice(FIRST_DIGIT, FIRST_DIGIT + columns.prefixLength(row)),
      destination: columns.destination(row),
    };
  }

  /** What each carrier that serves this number charges, by the longest prefix of its own deck; in no order. */
  lookupBuy(number: E164): BuyRateRef[] {
    const { columns } = this;
    const slot = this.search.find(number, FIRST_DIGIT);
    const found: BuyRateRef[] = [];
    if (slot < 0) return found;
    for (const { deck, carrier_id, column } of this.buy_decks) {
      const row = this.rows[slot * this.decks.length + column] ?? -1;
      if (row < 0) continue;
      found.push({
        carrier_id,
        deck,
        rate: columns.rate(row),
        prefix: number.slice(FIRST_DIGIT, FIRST_DIGIT + columns.prefixLength(row)),
        destination: columns.destination(row),
      });
    }
    return found;
  }

  /**
   * What tells numbers apart for all decks: numbers of one slot have the same price by each of them. -1 for a number that no
   * deck knows.
   */
  slotOf(number: E164): number {
    return this.search.find(number, FIRST_DIGIT);
  }

  /** How many there are; they are numbered from 0. */
  get slots(): number {
    return this.decks.length === 0 ? 0 : this.rows.length / this.decks.length;
  }

  /** The price of a unit by that buy deck, in micros; -1 where it does not serve the slot. Makes nothing that must be collected. */
  buyPrice(slot: number, buy_deck: number): number {
    const row = this.rows[slot * this.decks.length + (this.buy_decks[buy_deck]?.column ?? -1)] ?? -1;
    return row < 0 ? -1 : this.columns.price(row);
  }

  /** Bytes of the typed arrays, in which nearly all of the index lies. */
  get bytes(): number {
    return this.search.bytes + this.rows.byteLength + this.columns.bytes;
  }

  get size(): { decks: number; rates: number } {
    return { decks: this.decks.length, rates: this.columns.rows };
  }
}
