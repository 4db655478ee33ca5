import type { Micros } from '../money/micros.ts';
import { convert, type FxTable } from './fx_rates.ts';
import { price } from './price.ts';
import type { BuyRateRef, RateRef } from './rate_deck.ts';

/** A carrier as routing sees it at this moment. */
export type LcrCarrier = {
  readonly enabled: boolean;
  /** Answered calls per million tried (ASR), or any other measure that is higher for a better carrier. */
  readonly quality_ppm: number;
};

export type LcrOptions = {
  /** Costs are compared for a call of this length: a connect fee or a first minute weighs more on a short one. */
  readonly expected_duration_seconds: number;
  /** The least part of the sell price that must be left, in parts per million; may be negative. */
  readonly min_margin_ppm: number;
  readonly candidates_max: number;
};

/**
 * - `taken`: will be tried, in the order of the list;
 * - `unknown_carrier`, `carrier_disabled`: nothing can be sent there now;
 * - `no_fx_rate`: what it costs cannot be said in the currency of the sale;
 * - `margin_too_low`: it would leave less than the margin;
 * - `beyond_limit`: good, but others are better and only so many are tried.
 */
export type LcrVerdict =
  'taken' | 'unknown_carrier' | 'carrier_disabled' | 'no_fx_rate' | 'margin_too_low' | 'beyond_limit';

export type LcrCandidate = {
  readonly carrier_id: number;
  readonly buy: BuyRateRef;
  readonly verdict: LcrVerdict;
  /** For the expected duration, in the currency of the sell deck; null where it cannot be said. */
  readonly cost_micros: Micros | null;
  /** What the customer pays for the expected duration, less `cost_micros`. */
  readonly margin_micros: Micros | null;
};

type Costed = Omit<LcrCandidate, 'verdict'> & { readonly refused: LcrVerdict | null; readonly quality_ppm: number };

/**
 * Least-cost routing: the carriers that can take a call, the cheapest first; of equals the better one first, then the one
 * with the lower id, so that the order never depends on chance. The list holds every carrier with a rate for the number,
 * those that are not taken behind the others with the reason.
 */
export function leastCostRoutes(
  sell: RateRef,
  buys: readonly BuyRateRef[],
  carriers: ReadonlyMap<number, LcrCarrier>,
  fx: FxTable,
  options: LcrOptions,
): LcrCandidate[] {
  const sale = price(options.expected_duration_seconds, sell.rate);
  const costed = buys.map((buy) => cost(buy, sale, sell.deck.currency, carriers.get(buy.carrier_id), fx, options));
  costed.sort(better);
  return costed.map(({ refused, carrier_id, buy, cost_micros, margin_micros }, place) => {
    const verdict = refused ?? (place < options.candidates_max ? 'taken' : 'beyond_limit');
    return { carrier_id, buy, verdict, cost_micros, margin_micros };
  });
}

function cost(
  buy: BuyRateRef,
  sale: Micros,
  currency: string,
  carrier: LcrCarrier | undefined,
  fx: FxTable,
  options: LcrOptions,
): Costed {
  const own = price(options.expected_duration_seconds, buy.rate);
  const cost_micros = convert(own, buy.deck.currency, currency, fx);
  const margin_micros = cost_micros === null ? null : sale - cost_micros;
  const refused = refusal(carrier, margin_micros, sale, options.min_margin_ppm);
  return {
    carrier_id: buy.carrier_id,
    buy,
    cost_micros,
    margin_micros,
    refused,
    quality_ppm: carrier?.quality_ppm ?? 0,
  };
}

function refusal(
  carrier: LcrCarrier | undefined,
  margin_micros: Micros | null,
  sale: Micros,
  min_margin_ppm: number,
): LcrVerdict | null {
  if (!carrier) return 'unknown_carrier';
  if (!carrier.enabled) return 'carrier_disabled';
  if (margin_micros === null) return 'no_fx_rate';
  return margin_micros * 1_000_000n < sale * BigInt(min_margin_ppm) ? 'margin_too_low' : null;
}

/** Those that can be taken before those that cannot, then by cost, quality and id. */
function better(a: Costed, b: Costed): number {
  if ((a.refused === null) !== (b.refused === null)) return a.refused === null ? -1 : 1;
  if (a.cost_micros !== b.cost_micros) {
    if (a.cost_micros === null) return 1;
    if (b.cost_micros === null) return -1;
    return a.cost_micros < b.cost_micros ? -1 : 1;
  }
  return b.quality_ppm - a.quality_ppm || a.carrier_id - b.carrier_id;
}
