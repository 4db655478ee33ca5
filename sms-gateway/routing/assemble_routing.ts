import type pg from 'pg';
import type { Logger } from 'pino';
import type { GatewaySettings } from '../../config/gateway_settings.ts';
import { parseE164 } from '../../domain/numbers/e164.ts';
import type { EndedText } from '../../domain/texts/ended_texts.ts';
import type { BindRow } from '../carriers/bind_row.ts';
import { countryOfCallingCode } from '../screening/country/destination_country.ts';
import { Quality } from './quality.ts';
import { QualityKeeping } from './quality_keeping.ts';
import { RouteBook } from './route_book.ts';
import { routedCarriers } from './routed_carriers.ts';
import { routingOptions } from './routing_options.ts';

export interface RoutingParts {
  settings: GatewaySettings;
  db: pg.Pool;
  now: () => number;
  log: Logger;
}

/** By what texts find their carriers: prices, and how much of what each took arrived. */
export class RoutingDesk {
  readonly book: RouteBook;
  readonly #quality = new Quality();
  readonly #keeping: QualityKeeping;
  readonly #parts: RoutingParts;

  constructor(parts: RoutingParts) {
    const { settings, db, now, log } = parts;
    this.#parts = parts;
    this.book = new RouteBook({ db, now, log, countryOf: countryOfCallingCode, routing: routingOptions(settings) });
    this.#keeping = new QualityKeeping(db, this.#quality);
  }

  /** What the gateway before saw of carriers. */
  load(): Promise<void> {
    return this.#keeping.load();
  }

  save(): Promise<void> {
    return this.#keeping.save();
  }

  /** What became of a text says something of who took it; not where the customer took it back. */
  ended({ carrier_id, recipient, state }: EndedText): void {
    if (carrier_id === null || state === 'cancelled') return;
    const number = parseE164(recipient);
    const country = number === null ? null : countryOfCallingCode(number);
    this.#quality.ended(carrier_id, country, state === 'delivered', this.#parts.now());
  }

  setCarriers(rows: readonly BindRow[]): void {
    this.book.setCarriers(routedCarriers(rows, (carrier_id) => this.#quality.of(carrier_id, this.#parts.now())));
  }
}
