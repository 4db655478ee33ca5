import type pg from 'pg';
import type { Micros } from '../../money/micros.ts';
import type { E164 } from '../../numbers/e164.ts';
import { loadIndex } from '../../rating/index/load_index.ts';
import type { BuyDeck, RateIndex } from '../../rating/index/rate_index.ts';
import { withTax } from '../../rating/price.ts';
import type { Taxed } from '../../rating/price.ts';
import type { BuyRateRef, RateDeck, RateRef } from '../../rating/rate_deck.ts';
import { SlotPrices } from './slot_prices.ts';

/** What a segment costs, with all that is needed to explain it. */
export interface TextRate {
  rate_micros_per_segment: Micros;
  prefix: string;
  destination: string;
  deck: RateDeck;
}

export interface CarrierTextRate extends TextRate {
  carrier_id: number;
}

/**
 * All prices of texts that hold at one instant, by longest prefix. They lie in the same index as those of calls, in which
 * the price of one unit is a minute's there and a segment's here.
 */
export class TextPrices {
  readonly #index: RateIndex;
  readonly #slot_prices: SlotPrices;

  constructor(index: RateIndex) {
    this.#index = index;
    this.#slot_prices = new SlotPrices(index);
  }

  get next_change_at_ms(): number | null {
    return this.#index.next_change_at_ms;
  }

  get size(): { decks: number; rates: number } {
    return this.#index.size;
  }

  /** What a customer on the deck `deck_name` pays, or null if that deck does not sell this number. */
  sell(number: E164, deck_name: string): TextRate | null {
    const found = this.#index.lookupSell(number, deck_name);
    return found === null ? null : ofSegments(found);
  }

  /** Decks of carriers; the place of one here names it to `buyPrice`. */
  get buy_decks(): readonly BuyDeck[] {
    return this.#index.buy_decks;
  }

  /** Numbers of one slot cost the same by every deck; -1 for a number that no deck knows. */
  slotOf(number: E164): number {
    return this.#index.slotOf(number);
  }

  /** What a segment costs by that deck, in micros; -1 where it does not reach the slot. */
  buyPrice(slot: number, buy_deck: number): number {
    return this.#slot_prices.of(slot, buy_deck);
  }

  /** What each carrier that reaches this number charges, in no order. */
  buy(number: E164): CarrierTextRate[] {
    return this.#index.lookupBuy(number).map((one: BuyRateRef) => ({ ...ofSegments(one), carrier_id: one.carrier_id }));
  }
}

function ofSegments({ rate, prefix, destination, deck }: RateRef): TextRate {
  return { rate_micros_per_segment: rate.rate_micros_per_minute, prefix, destination, deck };
}

/** LISTEN on `rates` first, and load again on a notification or at `next_change_at_ms`. */
export async function loadTextPrices(pool: pg.Pool, at_ms: number): Promise<TextPrices> {
  return new TextPrices(await loadIndex(pool, at_ms, 'texts'));
}

/** The price of a text: its segments at the rate, and the tax rounded up to the micro once. */
export function textPrice(segments: number, rate: TextRate, tax_ppm: number): Taxed {
  return withTax(rate.rate_micros_per_segment * BigInt(segments), tax_ppm);
}
