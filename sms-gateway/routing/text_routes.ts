import type { Micros } from '../../domain/money/micros.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import { convert } from '../../domain/rating/fx_rates.ts';
import type { FxTable } from '../../domain/rating/fx_rates.ts';
import type { CarrierTextRate, TextPrices, TextRate } from '../../domain/texts/prices/text_prices.ts';

/** A carrier as routing sees it. */
export interface RoutedCarrier {
  carrier_id: number;
  code: string;
  enabled: boolean;
  /** Texts that arrived of those it took lately, in parts per million; 1,000,000 where too few were sent to say. */
  quality_ppm: number;
}

export interface Route {
  carrier_id: number;
  carrier: string;
  cost: { micros_per_segment: Micros; currency: string };
}

export type RouteVerdict = 'taken' | 'carrier_disabled' | 'no_fx_rate' | 'margin_too_low' | 'beyond_limit';

export interface Routing {
  /** In the order in which they are tried. */
  routes: readonly Route[];
  /** In words, why these and in this order. */
  reason: string;
}

export interface RoutingOptions {
  /** Of the sell price, what has to be left after the carrier is paid, in parts per million. */
  margin_ppm_min: number;
  routes_max: number;
  /**
   * How much of a price a carrier's bad quality counts for: at 1,000,000, one that delivers half costs twice. At 0 the price
   * alone decides.
   */
  quality_weight_ppm: number;
}

interface Judged {
  rate: CarrierTextRate;
  verdict: RouteVerdict;
  /** In the currency of the sale. */
  cost_micros: Micros | null;
  /** The cost of a text that arrives, by which routes are ordered. */
  weighed_micros: Micros;
}

const PPM = 1_000_000n;

/** Carriers for a number, the cheapest by what a text that arrives costs first; of equals the one with the lower id. */
export class TextRoutes {
  readonly #prices: TextPrices;
  readonly #fx: FxTable;
  readonly #carriers: ReadonlyMap<number, RoutedCarrier>;
  readonly #options: RoutingOptions;

  constructor(prices: TextPrices, fx: FxTable, carriers: ReadonlyMap<number, RoutedCarrier>, options: RoutingOptions) {
    this.#prices = prices;
    this.#fx = fx;
    this.#carriers = carriers;
    this.#options = options;
  }

  sell(number: E164, deck: string): TextRate | null {
    return this.#prices.sell(number, deck);
  }

  /** @param sale null where nobody pays: then every carrier is good enough. */
  route(number: E164, sale: { rate_micros_per_segment: Micros; currency: string } | null): Routing {
    const judged = this.#prices
      .buy(number)
      .map((rate) => this.#judge(rate, sale))
      .sort(better)
      .map((one, place) =>
        one.verdict === 'taken' && place >= this.#options.routes_max
          ? { ...one, verdict: 'beyond_limit' as const }
          : one,
      );
    return {
      routes: judged.filter(({ verdict }) => verdict === 'taken').map(({ rate }) => this.#routeOf(rate)),
      reason: judged.map((one) => this.#explain(one)).join('; '),
    };
  }

  #judge(rate: CarrierTextRate, sale: { rate_micros_per_segment: Micros; currency: string } | null): Judged {
    const carrier = this.#carriers.get(rate.carrier_id);
    const cost_micros = convert(
      rate.rate_micros_per_segment,
      rate.deck.currency,
      sale?.currency ?? rate.deck.currency,
      this.#fx,
    );
    return {
      rate,
      cost_micros,
      weighed_micros: weigh(cost_micros ?? 0n, carrier?.quality_ppm ?? 0, this.#options.quality_weight_ppm),
      verdict: this.#verdict(carrier, cost_micros, sale),
    };
  }

  #verdict(
    carrier: RoutedCarrier | undefined,
    cost_micros: Micros | null,
    sale: { rate_micros_per_segment: Micros } | null,
  ): RouteVerdict {
    if (carrier?.enabled !== true) return 'carrier_disabled';
    if (cost_micros === null) return 'no_fx_rate';
    if (sale === null) return 'taken';
    const margin = sale.rate_micros_per_segment - cost_micros;
    return margin * PPM < sale.rate_micros_per_segment * BigInt(this.#options.margin_ppm_min)
      ? 'margin_too_low'
      : 'taken';
  }

  #routeOf({ carrier_id, rate_micros_per_segment, deck }: CarrierTextRate): Route {
    return {
      carrier_id,
      carrier: this.#carriers.get(carrier_id)?.code ?? String(carrier_id),
      cost: { micros_per_segment: rate_micros_per_segment, currency: deck.currency },
    };
  }

  #explain({ rate, verdict }: Judged): string {
    const { carrier_id, rate_micros_per_segment, deck } = rate;
    const name = this.#carriers.get(carrier_id)?.code ?? `carrier ${carrier_id}`;
    return `${name} ${rate_micros_per_segment} ${deck.currency} micros: ${verdictWords[verdict]}`;
  }
}

const verdictWords: Readonly<Record<RouteVerdict, string>> = {
  taken: 'may carry it',
  carrier_disabled: 'out of use',
  no_fx_rate: 'no exchange rate',
  margin_too_low: 'would leave too little of the price',
  beyond_limit: 'not needed',
};

/** What a text that arrives costs: the price, divided by the share that arrives as far as the weight says. */
function weigh(cost_micros: Micros, quality_ppm: number, quality_weight_ppm: number): Micros {
  const lost_ppm = 1_000_000 - Math.min(1_000_000, Math.max(0, quality_ppm));
  const counted_ppm = Math.min(999_000, Math.floor((lost_ppm * quality_weight_ppm) / 1_000_000));
  return (cost_micros * PPM) / BigInt(1_000_000 - counted_ppm);
}

function better(a: Judged, b: Judged): number {
  if ((a.verdict === 'taken') !== (b.verdict === 'taken')) return a.verdict === 'taken' ? -1 : 1;
  if (a.weighed_micros !== b.weighed_micros) return a.weighed_micros < b.weighed_micros ? -1 : 1;
  return a.rate.carrier_id - b.rate.carrier_id;
}
