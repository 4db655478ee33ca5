import type { CarrierTrunks } from '../../domain/carriers/trunks.ts';
import { formatMoney } from '../../domain/money/format_money.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import type { FxTable } from '../../domain/rating/fx_rates.ts';
import type { RateIndex } from '../../domain/rating/index/rate_index.ts';
import { leastCostRoutes } from '../../domain/rating/lcr.ts';
import type { LcrCandidate, LcrOptions } from '../../domain/rating/lcr.ts';
import type { RateRef } from '../../domain/rating/rate_deck.ts';
import type { RateSource, Route } from '../call/plan.ts';

/** Routes in the order in which they are tried, and in words why these and not others. */
export interface Routing {
  routes: readonly Route[];
  reasons: readonly string[];
}

export interface RateBookParts {
  index: RateIndex;
  carriers: readonly CarrierTrunks[];
  emergency_trunks: ReadonlyMap<string, string>;
  fx: FxTable;
}

/** Prices and routes as they are in force at one moment; replaced as a whole when they change. */
export class RateBook {
  readonly #parts: RateBookParts;
  readonly #options: LcrOptions;
  readonly #carriers: ReadonlyMap<number, CarrierTrunks>;
  readonly #lcr_carriers: ReadonlyMap<number, { enabled: boolean; quality_ppm: number }>;
  #turn = 0;

  constructor(parts: RateBookParts, options: LcrOptions) {
    this.#parts = parts;
    this.#options = options;
    this.#carriers = new Map(parts.carriers.map((carrier) => [carrier.carrier_id, carrier]));
    this.#lcr_carriers = new Map(
      parts.carriers.map((carrier) => [
        carrier.carrier_id,
        { enabled: carrier.enabled && carrier.trunks.length > 0, quality_ppm: 0 },
      ]),
    );
  }

  /** When a rate begins or ends to hold next; a new book is made by then. */
  get next_change_at_ms(): number | null {
    return this.#parts.index.next_change_at_ms;
  }

  emergencyTrunks(): readonly string[] {
    return [...new Set(this.#parts.emergency_trunks.values())];
  }

  emergencyTrunk(country: string): string | null {
    return this.#parts.emergency_trunks.get(country) ?? null;
  }

  sell(number: E164, deck: string): RateRef | null {
    return this.#parts.index.lookupSell(number, deck);
  }

  /** @param callsOn how many calls are up on a trunk; a trunk that is full is passed over. */
  route(number: E164, sell: RateRef, callsOn: (trunk_id: string) => number): Routing {
    const candidates = leastCostRoutes(
      sell,
      this.#parts.index.lookupBuy(number),
      this.#lcr_carriers,
      this.#parts.fx,
      this.#options,
    );
    const routes: Route[] = [];
    const reasons = candidates.map((one) => {
      const route = one.verdict === 'taken' ? this.#routeOver(number, one, callsOn) : null;
      if (route !== null) routes.push(route);
      return this.#explain(one, sell, route);
    });
    return { routes, reasons };
  }

  /** Null when every trunk of the carrier is full. */
  #routeOver(number: E164, { carrier_id, buy }: LcrCandidate, callsOn: (trunk_id: string) => number): Route | null {
    const carrier = this.#carriers.get(carrier_id);
    if (carrier === undefined) throw new Error(`Carrier ${carrier_id} was taken and is not known.`);
    // A carrier's trunks take turns.
    this.#turn += 1;
    const turn = this.#turn % carrier.trunks.length;
    const in_turn = [...carrier.trunks.slice(turn), ...carrier.trunks.slice(0, turn)];
    const trunk = in_turn.find(({ id, max_channels }) => callsOn(id) < max_channels);
    if (trunk === undefined) return null;
    return { carrier_id, carrier: carrier.code, trunk_id: trunk.id, number, rate: buy.rate, source: sourceOf(buy) };
  }

  #explain({ carrier_id, cost_micros, verdict }: LcrCandidate, sell: RateRef, route: Route | null): string {
    const name = this.#carriers.get(carrier_id)?.code ?? `carrier ${carrier_id}`;
    const cost =
      cost_micros === null ? 'at a cost that cannot be said' : `costs ${formatMoney(cost_micros, sell.deck.currency)}`;
    return `${name} ${cost} for ${this.#options.expected_duration_seconds} s: ${verdict === 'taken' && route === null ? 'has no free channel at the moment' : verdictWords[verdict]}.`;
  }
}

const verdictWords: Readonly<Record<LcrCandidate['verdict'], string>> = {
  taken: 'may carry the call',
  unknown_carrier: 'not set up',
  carrier_disabled: 'out of use at the moment',
  no_fx_rate: 'no exchange rate says what that is in the currency of the price',
  margin_too_low: 'would leave too little of the price',
  beyond_limit: 'not needed, as others are better',
};

export function sourceOf(ref: RateRef): RateSource {
  return {
    deck_id: ref.deck.id,
    deck: ref.deck.name,
    version: ref.deck.version,
    prefix: ref.prefix,
    destination: ref.destination,
    currency: ref.deck.currency,
  };
}
