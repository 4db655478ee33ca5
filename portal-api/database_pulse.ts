import { setImmediate } from 'node:timers';
import pg from 'pg';
import type { Logger } from 'pino';
import { Outage } from '../domain/db/batch.ts';

export interface DatabasePulseOptions {
  database_url: string;
  monotonic: () => number;
  log: Logger;
}

/** It is asked this often, and is away once it has said nothing for so long. Whoever waits for it is told then, at the latest. */
const ASK_MS = 1_000;
const SILENT_MS_MAX = 3_500;

/**
 * Whether Postgres answers. A server that is frozen keeps its connections, and what is asked of it is neither answered nor refused; a
 * statement that takes long is no sign of it. So it is asked something small, again and again, on a connection of its own:
 *
 *     there ──silent for a while──> away: whoever waits is told, whoever asks is refused at once
 *       ▲                            │
 *       └──────────answers───────────┘
 */
export class DatabasePulse {
  readonly #options: DatabasePulseOptions;
  readonly #waiting = new Set<(error: Outage) => void>();
  #client: pg.Client | null = null;
  #is_asking = false;
  #is_away = false;
  #answered_at_ms: number;
  #looked_at_ms: number;
  #timer: NodeJS.Timeout | null = null;

  constructor(options: DatabasePulseOptions) {
    this.#options = options;
    this.#answered_at_ms = options.monotonic();
    this.#looked_at_ms = this.#answered_at_ms;
  }

  get is_away(): boolean {
    return this.#is_away;
  }

  start(): void {
    this.#answered_at_ms = this.#options.monotonic();
    this.#looked_at_ms = this.#answered_at_ms;
    this.#timer = setInterval(() => this.#look(), ASK_MS / 4);
    this.#timer.unref();
    this.#ask();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
    this.#drop();
  }

  /** What `work` comes to, or an Outage as soon as the database goes away. @param onLate takes what it came to after that. */
  bounded<T>(work: Promise<T>, onLate: (late: T) => void = () => undefined): Promise<T> {
    return new Promise((resolve, reject) => {
      let is_late = false;
      const away = (error: Outage): void => {
        is_late = true;
        reject(error);
      };
      this.#waiting.add(away);
      work.then(
        (value) => {
          this.#waiting.delete(away);
          if (is_late) onLate(value);
          else resolve(value);
        },
        (error: unknown) => {
          this.#waiting.delete(away);
          // eslint-disable-next-line @typescript-eslint/prefer-promise-reject-errors -- as it came
          reject(error);
        },
      );
    });
  }

  #look(): void {
    const now_ms = this.#options.monotonic();
    const was_late_ms = now_ms - this.#looked_at_ms - ASK_MS / 4;
    this.#looked_at_ms = now_ms;
    // While this process itself stood still, nobody could be heard.
    if (was_late_ms > ASK_MS / 4) this.#answered_at_ms += was_late_ms;
    // What has arrived by now is heard before it is judged.
    setImmediate(() => this.#judge());
    if (!this.#is_asking && now_ms - this.#answered_at_ms >= ASK_MS) this.#ask();
  }

  #judge(): void {
    if (this.#is_away || this.#options.monotonic() - this.#answered_at_ms < SILENT_MS_MAX) return;
    this.#is_away = true;
    this.#options.log.error('Postgres does not answer; requests are refused until it does');
    const error = new Outage('The database does not answer.');
    for (const tell of this.#waiting) tell(error);
    this.#waiting.clear();
  }

  #ask(): void {
    this.#is_asking = true;
    this.#answer()
      .then(
        () => {
          this.#answered_at_ms = this.#options.monotonic();
          if (this.#is_away) this.#options.log.info('Postgres answers again');
          this.#is_away = false;
        },
        () => this.#drop(),
      )
      .finally(() => {
        this.#is_asking = false;
      });
  }

  async #answer(): Promise<void> {
    if (this.#client === null) {
      const client = new pg.Client({
        ...{ connectionString: this.#options.database_url, keepAlive: true, application_name: 'portal pulse' },
        ...{ connectionTimeoutMillis: 2_000, query_timeout: 2_000 },
      });
      client.on('error', () => this.#drop(client));
      this.#client = client;
      await client.connect();
    }
    await this.#client.query('select 1');
  }

  #drop(client = this.#client): void {
    if (client === null) return;
    if (client === this.#client) this.#client = null;
    // One that is frozen would not answer a good-bye, and its connections would be more with each try.
    (client as unknown as { connection: { stream: { destroy: () => void } } }).connection.stream.destroy();
  }
}

/** A pool that refuses at once while Postgres does not answer: whoever waited would wait for nothing. */
export class BoundedPool extends pg.Pool {
  readonly #pulse: Pick<DatabasePulse, 'is_away'>;

  constructor(config: pg.PoolConfig, pulse: Pick<DatabasePulse, 'is_away'>) {
    super(config);
    this.#pulse = pulse;
  }

  override connect(): Promise<pg.PoolClient>;
  override connect(
    callback: (
      error: Error | undefined,
      client: pg.PoolClient | undefined,
      done: (release?: Error | boolean) => void,
    ) => void,
  ): void;
  override connect(
    callback?: (
      error: Error | undefined,
      client: pg.PoolClient | undefined,
      done: (release?: Error | boolean) => void,
    ) => void,
  ): Promise<pg.PoolClient> | undefined {
    if (this.#pulse.is_away) {
      const error = new Outage('The database does not answer.');
      if (callback === undefined) return Promise.reject(error);
      setImmediate(() => callback(error, undefined, () => undefined));
      return undefined;
    }
    if (callback === undefined) return super.connect();
    super.connect(callback);
    return undefined;
  }
}
