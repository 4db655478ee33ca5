import type pg from 'pg';
import type { Logger } from 'pino';
import type { E164 } from '../../domain/numbers/e164.ts';
import { selectFxRates } from '../../domain/rating/fx_rates.ts';
import type { FxTable } from '../../domain/rating/fx_rates.ts';
import { Shelf } from '../../domain/rating/shelf.ts';
import { loadTextPrices } from '../../domain/texts/prices/text_prices.ts';
import type { TextPrices, TextRate } from '../../domain/texts/prices/text_prices.ts';
import { areRoutedAlike } from './routed_alike.ts';
import { RouteMemory } from './route_memory.ts';
import { TextRoutes } from './text_routes.ts';
import type { RoutedCarrier, Routing, RoutingOptions, Sale } from './text_routes.ts';

export interface RouteBookOptions {
  db: pg.Pool;
  now: () => number;
  routing: RoutingOptions;
  /** ISO 3166-1, as `quality_ppm_by_country` names it; null for a number of no country. */
  countryOf: (number: E164) => string | null;
  log: Logger;
}

interface Held {
  prices: TextPrices;
  fx: FxTable;
}

/** Prices and routes as they are now: others as soon as a price changes, or a carrier, or its quality by more than chance. */
export class RouteBook {
  readonly #shelf: Shelf<Held>;
  readonly #options: RouteBookOptions;
  #carriers: ReadonlyMap<number, RoutedCarrier> = new Map();
  #routes: TextRoutes | null = null;
  /** Its tables are large, and quality changes routes every few seconds: they are made once. */
  readonly #remembered = new RouteMemory();
  #held: Held | null = null;

  constructor(options: RouteBookOptions) {
    this.#options = options;
    const { db, now, log } = options;
    this.#shelf = new Shelf({
      now,
      log,
      load: async (at_ms) => {
        const prices = await loadTextPrices(db, at_ms);
        const fx = await selectFxRates(db, new Date(at_ms));
        log.info({ ...prices.size, took_ms: Math.round(now() - at_ms) }, 'prices of texts loaded');
        return { value: { prices, fx }, next_change_at_ms: prices.next_change_at_ms };
      },
    });
  }

  reload(): Promise<void> {
    return this.#shelf.reload();
  }

  refresh(): void {
    this.#shelf.refresh();
  }

  stop(): void {
    this.#shelf.stop();
  }

  /** Every few seconds, and nearly always as they were: the routes that are remembered stay then. */
  setCarriers(carriers: readonly RoutedCarrier[]): void {
    if (areRoutedAlike(this.#carriers, carriers)) return;
    this.#carriers = new Map(carriers.map((one) => [one.carrier_id, one]));
    this.#routes = null;
  }

  sell(number: E164, deck: string): TextRate | null {
    return this.#current().sell(number, deck);
  }

  /**
   * @param routed_as the number that routing goes by: the one itself, or where its porting says that it belongs.
   */
  route(routed_as: E164, sale: Sale): Routing {
    return this.#current().route(routed_as, sale);
  }

  #current(): TextRoutes {
    const held = this.#shelf.value;
    if (this.#routes === null || this.#held !== held) {
      this.#held = held;
      const { routing, countryOf } = this.#options;
      this.#remembered.clear();
      this.#routes = new TextRoutes(held.prices, held.fx, this.#carriers, routing, countryOf, this.#remembered);
    }
    return this.#routes;
  }
}
