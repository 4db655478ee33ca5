import type { Micros } from '../../domain/money/micros.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import { convert } from '../../domain/rating/fx_rates.ts';
import type { FxTable } from '../../domain/rating/fx_rates.ts';
import type { TextPrices, TextRate } from '../../domain/texts/prices/text_prices.ts';
import { BestOffers } from './best_offers.ts';
import { RouteMemory } from './route_memory.ts';
import { explainRoutes } from './route_reason.ts';
import type { RouteVerdict } from './route_reason.ts';

/** A carrier as routing sees it. */
export interface RoutedCarrier {
  carrier_id: number;
  code: string;
  enabled: boolean;
  /** Texts that arrived of those it took lately, in parts per million; 1,000,000 where too few were sent to say. */
  quality_ppm: number;
  /** Of those to a calling code, by the country that most of its numbers belong to, where enough were sent to say. */
  quality_ppm_by_country: ReadonlyMap<string, number>;
}

export interface Route {
  carrier_id: number;
  carrier: string;
  cost: { micros_per_segment: Micros; currency: string };
}

export interface Routing {
  /** In the order in which they are tried. */
  readonly routes: readonly Route[];
  /** In words, why these and in this order. */
  readonly reason: string;
}

/** What the customer pays for a segment; null where nobody does: then every carrier is good enough. */
export type Sale = { rate_micros_per_segment: Micros; currency: string } | null;

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

/** What is known of a carrier's deck before any number is. */
interface Offer {
  carrier: RoutedCarrier | undefined;
  carrier_id: number;
  currency: string;
}

/** How good the offers are where a text goes to, each at its place. */
export interface Weights {
  /** Of the texts that its carrier takes, those that arrive, in parts per million. */
  quality_ppm: Float64Array;
  /** What is left of a million by which its price is divided, so that bad quality makes it dearer. */
  counted_ppm: Float64Array;
}

export interface Judged {
  carrier_id: number;
  code: string;
  price_micros: number;
  currency: string;
  quality_ppm: number;
  verdict: RouteVerdict;
  /** The cost of a text that arrives, by which routes are ordered. */
  weighed: number;
}

const PPM = 1_000_000;

/**
 * Carriers for a number, the cheapest by what a text that arrives costs first; of equals the one with the lower id. Prices are
 * numbers here, exact below 2^53 micros: what is charged and booked is a bigint from the deck, and only the order is worked out
 * in these. What was worked out for one number holds for all that no deck tells apart, and that lie where carriers are as good.
 */
export class TextRoutes {
  readonly #prices: TextPrices;
  readonly #fx: FxTable;
  readonly #options: RoutingOptions;
  readonly #offers: readonly Offer[];
  readonly #countryOf: (number: E164) => string | null;
  /** Where carriers are as good as they are in all, and for each country of which there is more to say. */
  readonly #weights: Weights;
  readonly #weights_by_country = new Map<string, Weights>();
  readonly #remembered: RouteMemory;
  readonly #best: BestOffers;

  constructor(
    prices: TextPrices,
    fx: FxTable,
    carriers: ReadonlyMap<number, RoutedCarrier>,
    options: RoutingOptions,
    countryOf: (number: E164) => string | null,
    remembered = new RouteMemory(),
  ) {
    this.#prices = prices;
    this.#fx = fx;
    this.#options = options;
    this.#best = new BestOffers(options.routes_max);
    this.#offers = prices.buy_decks.map(({ deck, carrier_id }) => {
      return { carrier: carriers.get(carrier_id), carrier_id, currency: deck.currency };
    });
    this.#countryOf = countryOf;
    this.#remembered = remembered;
    this.#weights = this.#weightsIn(null);
    for (const { quality_ppm_by_country } of carriers.values()) {
      for (const country of quality_ppm_by_country.keys()) {
        if (!this.#weights_by_country.has(country)) this.#weights_by_country.set(country, this.#weightsIn(country));
      }
    }
  }

  sell(number: E164, deck: string): TextRate | null {
    return this.#prices.sell(number, deck);
  }

  route(number: E164, sale: Sale): Routing {
    const slot = this.#prices.slotOf(number);
    const weights = this.#weightsFor(number);
    const known = this.#remembered.find(slot, sale, weights);
    if (known !== null) return known;
    const routing = new WorkedOut(this.#workOut(slot, sale, weights), () => this.#explain(slot, sale, weights));
    this.#remembered.keep(slot, sale, weights, routing);
    return routing;
  }

  #weightsFor(number: E164): Weights {
    // Where nothing is known of any country, none has to be found out.
    const country = this.#weights_by_country.size === 0 ? null : this.#countryOf(number);
    return (country === null ? undefined : this.#weights_by_country.get(country)) ?? this.#weights;
  }

  #weightsIn(country: string | null): Weights {
    const quality_ppm = Float64Array.from(this.#offers, ({ carrier }) => {
      const in_country = country === null ? undefined : carrier?.quality_ppm_by_country.get(country);
      return in_country ?? carrier?.quality_ppm ?? 0;
    });
    return { quality_ppm, counted_ppm: quality_ppm.map((one) => countedPpm(one, this.#options.quality_weight_ppm)) };
  }

  #workOut(slot: number, sale: Sale, weights: Weights): Route[] {
    if (slot < 0) return [];
    const best = this.#best;
    best.clear();
    const cost_max = costMax(sale, this.#options.margin_ppm_min);
    for (let at = 0; at < this.#offers.length; at += 1) {
      const offer = this.#offers[at];
      if (offer?.carrier?.enabled !== true) continue;
      const price = this.#prices.buyPrice(slot, at);
      if (price < 0 || !Number.isFinite(price)) continue;
      const cost = this.#costOf(price, offer, sale);
      if (cost !== null && cost <= cost_max) best.offer(at, weigh(cost, weights.counted_ppm[at]), offer.carrier_id);
    }
    const routes: Route[] = [];
    for (let at = 0; at < best.size; at += 1) routes.push(this.#routeTo(slot, best.place(at)));
    return routes;
  }

  #explain(slot: number, sale: Sale, weights: Weights): string {
    const cost_max = costMax(sale, this.#options.margin_ppm_min);
    return explainRoutes(this.#judgeAll(slot, sale, weights, cost_max), this.#options.routes_max);
  }

  /** In the currency of the sale; null where no exchange rate is known. */
  #costOf(price: number, { currency }: Offer, sale: Sale): number | null {
    if (sale === null || sale.currency === currency) return price;
    // Nobody pays so much, in whichever currency.
    if (!Number.isFinite(price)) return price;
    const cost = convert(BigInt(price), currency, sale.currency, this.#fx);
    return cost === null ? null : Number(cost);
  }

  #routeTo(slot: number, at: number): Route {
    const offer = this.#offers[at];
    if (offer?.carrier === undefined) throw new RangeError(`There is no offer ${at}.`);
    return {
      carrier_id: offer.carrier_id,
      carrier: offer.carrier.code,
      cost: { micros_per_segment: BigInt(this.#prices.buyPrice(slot, at)), currency: offer.currency },
    };
  }

  #judgeAll(slot: number, sale: Sale, weights: Weights, cost_max: number): Judged[] {
    return this.#offers.flatMap((offer, at): Judged[] => {
      const price_micros = slot < 0 ? -1 : this.#prices.buyPrice(slot, at);
      if (price_micros < 0) return [];
      const { carrier, carrier_id, currency } = offer;
      const cost = this.#costOf(price_micros, offer, sale);
      const verdict =
        carrier?.enabled !== true
          ? 'carrier_disabled'
          : cost === null
            ? 'no_fx_rate'
            : cost > cost_max || !Number.isFinite(cost)
              ? 'margin_too_low'
              : 'taken';
      const code = carrier?.code ?? `carrier ${carrier_id}`;
      const weighed = weigh(cost ?? 0, weights.counted_ppm[at]);
      const quality_ppm = weights.quality_ppm[at] ?? 0;
      return [{ carrier_id, code, price_micros, currency, quality_ppm, verdict, weighed }];
    });
  }
}

class WorkedOut implements Routing {
  readonly routes: readonly Route[];
  readonly #explain: () => string;
  #reason: string | null = null;

  constructor(routes: readonly Route[], explain: () => string) {
    this.routes = routes;
    this.#explain = explain;
  }

  /** Only the first text that goes this way pays for the words. */
  get reason(): string {
    return (this.#reason ??= this.#explain());
  }
}

/** What a carrier may cost at most for the margin to be left. */
function costMax(sale: Sale, margin_ppm_min: number): number {
  if (sale === null) return Number.POSITIVE_INFINITY;
  const { rate_micros_per_segment } = sale;
  // Without a margin no bigint has to be made, and this is in the way of every text.
  if (margin_ppm_min === 0) return Number(rate_micros_per_segment);
  const margin = rate_micros_per_segment * BigInt(margin_ppm_min);
  // A margin below nothing is leave to lose that much; rounding is against the loss in either case.
  const margin_micros = margin >= 0n ? (margin + 999_999n) / 1_000_000n : margin / 1_000_000n;
  return Number(rate_micros_per_segment - margin_micros);
}

/** What a text that arrives costs: the price, divided by the share that arrives as far as the weight says. */
function weigh(cost_micros: number, counted_ppm = PPM): number {
  return Math.floor((cost_micros * PPM) / counted_ppm);
}

function countedPpm(quality_ppm: number, quality_weight_ppm: number): number {
  const lost_ppm = PPM - Math.min(PPM, Math.max(0, quality_ppm));
  return PPM - Math.min(999_000, Math.floor((lost_ppm * quality_weight_ppm) / PPM));
}
