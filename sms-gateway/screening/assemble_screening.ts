import type pg from 'pg';
import type { Logger } from 'pino';
import { createClient } from 'redis';
import type { GatewaySettings } from '../../config/gateway_settings.ts';
import { NumberPortability } from '../portability/number_portability.ts';
import { PortedNumberTable } from '../portability/ported_number_table.ts';
import { PUMPING_DEFAULTS } from './pumping/pumping_settings.ts';
import { Screening } from './screening.ts';
import { VolumeKeeping } from './volume/volume_keeping.ts';
import { VOLUME_DEFAULTS } from './volume/volume_settings.ts';
import { VolumeWatch } from './volume/volume_watch.ts';
import { WaitingTexts } from './waiting_texts.ts';
import type { WaitingLook } from './waiting_texts.ts';
import type { GatewayLease } from '../../domain/texts/queue.ts';

export interface ScreeningParts {
  settings: Pick<GatewaySettings, 'REDIS_URL' | 'TEXTS_PER_SECOND_MAX' | 'TEXTS_PER_DAY_MAX' | 'PORTABILITY_WAIT_MS'>;
  db: pg.Pool;
  onScreened: (verdict: string, by: string) => void;
  log: Logger;
}

const REDIS_QUEUE_MAX = 10_000;
const SHARE_MS = 100;
const HOUR_MS = 3_600_000;
const VOLUME_KEPT_MS = 90 * 24 * HOUR_MS;
const VOLUME_ROWS_MAX = 5_000;

/** What looks at texts before they cost money, with its Redis, and where ported numbers belong. */
export class ScreeningDesk {
  readonly screening: Screening;
  readonly portability: NumberPortability;
  readonly ported_numbers: PortedNumberTable;
  readonly volumes: VolumeKeeping;
  readonly #redis: ReturnType<typeof createClient>;
  readonly #log: Logger;
  readonly #db: pg.Pool;

  constructor({ settings, db, onScreened, log }: ScreeningParts) {
    this.#log = log;
    this.#db = db;
    this.#redis = createClient({
      url: settings.REDIS_URL,
      disableOfflineQueue: true,
      // One that is silent must not fill our memory with questions.
      commandsQueueMaxLength: REDIS_QUEUE_MAX,
    });
    this.#redis.on('error', (error: Error) =>
      log.warn({ err: error }, 'Redis does not answer; limits on rates are kept here'),
    );
    const watch = new VolumeWatch(VOLUME_DEFAULTS);
    const kept = { now: Date.now, kept_ms: VOLUME_KEPT_MS, forget_every_ms: HOUR_MS, rows_max: VOLUME_ROWS_MAX };
    this.volumes = new VolumeKeeping({ db, watch, ...kept });
    this.screening = new Screening({
      ...{
        db,
        store: this.#redis,
        now: Date.now,
        log,
        share_every_ms: SHARE_MS,
        pumping: PUMPING_DEFAULTS,
        volumes: watch,
        onScreened,
      },
      default_limit: {
        texts_per_second_max: settings.TEXTS_PER_SECOND_MAX,
        texts_per_day_max: settings.TEXTS_PER_DAY_MAX,
        time_zone: 'UTC',
      },
    });
    this.ported_numbers = new PortedNumberTable(db);
    this.portability = new NumberPortability({
      ...{ source: this.ported_numbers, now: () => performance.now(), log },
      ...{ ttl_ms: HOUR_MS, failed_ttl_ms: 5_000, numbers_max: 200_000, lookups_max: 2_000 },
      wait_ms: settings.PORTABILITY_WAIT_MS,
      onAsked: () => undefined,
      onLookedUp: () => undefined,
    });
  }

  /** What stands in Redis may be lost, so nothing waits for it: without it, limits on rates are kept here. */
  async start(): Promise<void> {
    this.#redis
      .connect()
      .catch((error: unknown) => this.#log.warn({ err: error }, 'Redis is not connected to any more'));
    await this.screening.start();
    await this.ported_numbers.refresh();
  }

  /** What screens the texts that were taken in by who cannot. */
  waitingTexts(lease: () => GatewayLease): () => Promise<WaitingLook> {
    const texts = new WaitingTexts({ db: this.#db, lease, screening: this.screening, now: () => new Date() });
    return () => texts.pass();
  }

  portingsChanged(): void {
    this.portability.changed();
    this.ported_numbers
      .refresh()
      .catch((error: unknown) => this.#log.warn({ err: error }, 'whether any number is ported could not be read'));
  }

  stop(): void {
    this.screening.stop();
    if (this.#redis.isOpen) this.#redis.destroy();
  }
}
