import { setTimeout as wait } from 'node:timers/promises';
import pg from 'pg';

export interface ListenerOptions {
  database_url: string;
  /** What to do on a notification of each channel. */
  channels: Readonly<Record<string, (payload: string) => void>>;
  /** Called after every (re)connection: what was notified meanwhile was missed, so look for yourself. */
  onConnected: () => void;
  onLost: (error: Error | null) => void;
  retry_ms: number;
}

/** Hears NOTIFY, and connects again for ever when the connection is lost. */
export class Listener {
  readonly #options: ListenerOptions;
  readonly #stop = new AbortController();
  #client: pg.Client | null = null;

  constructor(options: ListenerOptions) {
    this.#options = options;
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
    await this.#client?.end();
  }

  async #connect(): Promise<void> {
    const client = new pg.Client({
      connectionString: this.#options.database_url,
      keepAlive: true,
      connectionTimeoutMillis: 2000,
    });
    client.on('notification', ({ channel, payload }) => this.#options.channels[channel]?.(payload ?? ''));
    client.on('error', (error) => this.#lost(client, error));
    client.on('end', () => this.#lost(client, null));
    await client.connect();
    for (const channel of Object.keys(this.#options.channels))
      await client.query(`listen ${pg.escapeIdentifier(channel)}`);
    this.#client = client;
    this.#options.onConnected();
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
