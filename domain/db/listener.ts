import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';
import { dropConnection } from './drop_connection.ts';

export interface ListenerOptions {
  database_url: string;
  /** What to do on a notification of each channel. */
  channels: Readonly<Record<string, (payload: string) => void>>;
  /** Called after every (re)connection: what was notified meanwhile was missed, so look for yourself. */
  onConnected: () => void;
  onLost: (error: Error | null) => void;
  retry_ms: number;
  pulse?: Pulse;
}

export interface Pulse {
  every_ms: number;
  /** A connection that says nothing for so long is lost, though nobody ended it. */
  silent_ms: number;
}

/** What lies between may drop an idle connection without a word, and the kernel finds out after hours. */
const PULSE: Pulse = { every_ms: 5_000, silent_ms: 5_000 };

/** Hears NOTIFY, and connects again for ever when the connection is lost, or says nothing any more. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #stop = new AbortController();
  readonly #pulse: Pulse;
  #client: pg.Client | null = null;
  #beat: NodeJS.Timeout | null = null;

  constructor(options: ListenerOptions) {
    this.#options = options;
    this.#pulse = options.pulse ?? PULSE;
  }

  /** False while the connection is lost. */
  get connected(): boolean {
    return this.#client !== null;
  }

  /** Resolves when it listens for the first time. */
  async start(): Promise<void> {
    await this.#connect();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    if (this.#beat !== null) clearInterval(this.#beat);
    await this.#client?.end();
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.database_url,
      application_name: 'letsdial listener',
      keepAlive: true,
      connectionTimeoutMillis: 2000,
      query_timeout: this.#pulse.silent_ms,
    });
    client.on('notification', ({ channel, payload }) => this.#options.channels[channel]?.(payload ?? ''));
    client.on('error', (error) => this.#lost(client, error));
    client.on('end', () => this.#lost(client, null));
    try {
      await client.connect();
      for (const channel of Object.keys(this.#options.channels))
        await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    } catch (error) {
      dropConnection(client);
      throw error;
    }
    this.#client = client;
    this.#feel(client);
    this.#options.onConnected();
  }

  #feel(client: pg.Client): void {
    if (this.#beat !== null) clearInterval(this.#beat);
    let is_asking = false;
    this.#beat = setInterval(() => {
      if (is_asking || this.#client !== client) return;
      is_asking = true;
      client.query('select 1').then(
        () => {
          is_asking = false;
        },
        (error: unknown) => {
          this.#lost(client, error instanceof Error ? error : new Error(String(error)));
          dropConnection(client);
        },
      );
    }, this.#pulse.every_ms);
    this.#beat.unref();
  }

  #lost(client: pg.Client, error: Error | null): void {
    if (this.#client !== client || this.#stop.signal.aborted) return;
    this.#client = null;
    this.#options.onLost(error);
    void this.#reconnect();
  }

  async #reconnect(): Promise<void> {
    try {
      await wait(this.#options.retry_ms, undefined, { signal: this.#stop.signal });
      await this.#connect();
    } catch (error) {
      if (this.#stop.signal.aborted) return;
      this.#options.onLost(error as Error);
      await this.#reconnect();
    }
  }
}
