import type { Currency } from '../money/currency.ts';
import type { Rate } from './rate.ts';

/** One version of a price list: what customers pay (`sell`), or what one carrier charges us (`buy`). */
export type RateDeck = {
  readonly id: number;
  readonly name: string;
  readonly version: number;
  readonly currency: Currency;
} & ({ readonly side: 'sell'; readonly carrier_id: null } | { readonly side: 'buy'; readonly carrier_id: number });

/** For which numbers a line of a deck holds, and when: those that begin with `prefix` and with no longer prefix of the deck. */
export type DatedPrefix = {
  /** 1 to 15 digits, without `+`. */
  readonly prefix: string;
  readonly destination: string;
  /** Milliseconds since 1970; the row holds from this instant on. */
  readonly effective_from_ms: number;
  /** The first instant at which the row no longer holds; null for one without an end. */
  readonly effective_to_ms: number | null;
};

/** One line of a deck of calls. */
export type RateRow = Rate & DatedPrefix;

/** A rate that was found for a number, with all that is needed to explain it. */
export type RateRef = {
  readonly rate: Rate;
  readonly prefix: string;
  readonly destination: string;
  readonly deck: RateDeck;
};

/** A rate of the buy side: the same, and whose it is. */
export type BuyRateRef = RateRef & { readonly carrier_id: number };
