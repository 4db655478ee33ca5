import type pg from 'pg';
import type { Logger } from 'pino';
import { selectCarrierTrunks, selectEmergencyTrunks } from '../../domain/carriers/trunks.ts';
import { selectFxRates } from '../../domain/rating/fx_rates.ts';
import { loadIndex } from '../../domain/rating/index/load_index.ts';
import type { LcrOptions } from '../../domain/rating/lcr.ts';
import { RateBook } from './rate_book.ts';

/** A reload that failed is tried again after this long. */
const RETRY_MS = 1000;
/** FX rates change by the day, so the book is made anew now and then even if nothing was notified. */
const RELOAD_MS_MAX = 600_000;

export interface RateShelfOptions {
  db: pg.Pool;
  lcr: LcrOptions;
  now: () => number;
  log: Logger;
}

/** Holds the rate book that is in force, and makes a new one when something changes or a rate's time comes. */
export class RateShelf {
  readonly #options: RateShelfOptions;
  #book: RateBook | null = null;
  #timer: NodeJS.Timeout | null = null;
  #loading: Promise<void> | null = null;
  #stale = false;
  #stopped = false;

  constructor(options: RateShelfOptions) {
    this.#options = options;
  }

  get book(): RateBook {
    if (this.#book === null) throw new Error('The rates were never loaded.');
    return this.#book;
  }

  /** Loads now, or once more after the load that is under way: what it read may be older than the change. */
  async reload(): Promise<void> {
    this.#stale = true;
    this.#loading ??= this.#loadWhileStale().finally(() => {
      this.#loading = null;
    });
    await this.#loading;
  }

  /** Like `reload`, for a notification that nobody waits for: a failure is tried again. */
  refresh(): void {
    this.reload().catch((error: unknown) => {
      this.#options.log.warn({ err: error }, 'the rates could not be loaded; the ones in force stay');
      this.#reloadAt(this.#options.now() + RETRY_MS);
    });
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #loadWhileStale(): Promise<void> {
    while (this.#stale) {
      this.#stale = false;
      await this.#load();
    }
  }

  async #load(): Promise<void> {
    const { db, lcr, now, log } = this.#options;
    const at_ms = now();
    const index = await loadIndex(db, at_ms);
    const parts = {
      index,
      carriers: await selectCarrierTrunks(db),
      emergency_trunks: await selectEmergencyTrunks(db),
      fx: await selectFxRates(db, new Date(at_ms)),
    };
    this.#book = new RateBook(parts, lcr);
    log.info(
      { ...index.size, took_ms: Math.round(now() - at_ms), next_change_at_ms: index.next_change_at_ms },
      'rates loaded',
    );
    this.#reloadAt(Math.min(index.next_change_at_ms ?? Infinity, at_ms + RELOAD_MS_MAX));
  }

  #reloadAt(at_ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.refresh(), Math.max(0, at_ms - this.#options.now()));
    this.#timer.unref();
  }
}
