import type pg from 'pg';
import type { Logger } from 'pino';
import { selectCarrierTrunks, selectEmergencyTrunks } from '../../domain/carriers/trunks.ts';
import { selectFxRates } from '../../domain/rating/fx_rates.ts';
import { loadIndex } from '../../domain/rating/index/load_index.ts';
import type { LcrOptions } from '../../domain/rating/lcr.ts';
import { Shelf } from '../../domain/rating/shelf.ts';
import { RateBook } from './rate_book.ts';

export interface RateShelfOptions {
  db: pg.Pool;
  lcr: LcrOptions;
  now: () => number;
  log: Logger;
}

/** Holds the rate book that is in force. */
export function rateShelf({ db, lcr, now, log }: RateShelfOptions): Shelf<RateBook> {
  return new Shelf({
    now,
    log,
    load: async (at_ms) => {
      const index = await loadIndex(db, at_ms);
      const parts = {
        index,
        carriers: await selectCarrierTrunks(db),
        emergency_trunks: await selectEmergencyTrunks(db),
        fx: await selectFxRates(db, new Date(at_ms)),
      };
      const { next_change_at_ms } = index;
      log.info({ ...index.size, took_ms: Math.round(now() - at_ms), next_change_at_ms }, 'rates loaded');
      return { value: new RateBook(parts, lcr), next_change_at_ms };
    },
  });
}
