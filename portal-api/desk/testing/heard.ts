import type pg from 'pg';
import { expect } from 'vitest';

/** What the services are told of by the database, as they hear it: `channel: payload`. */
export class Heard {
  readonly #client: pg.PoolClient;
  #notices: string[] = [];

  private constructor(client: pg.PoolClient) {
    this.#client = client;
    client.on('notification', ({ channel, payload = '' }) => this.#notices.push(`${channel}: ${payload}`));
  }

  static async on(pool: pg.Pool, channels: readonly string[]): Promise<Heard> {
    const client = await pool.connect();
    for (const channel of channels) await client.query(`listen ${client.escapeIdentifier(channel)}`);
    return new Heard(client);
  }

  /** Of all that was committed before, as its notices come before this answer. */
  async forget(): Promise<void> {
    await this.#client.query('select 1');
    this.#notices = [];
  }

  /** Each of these, whatever else was told. */
  all(notices: readonly string[]): Promise<void> {
    return expect.poll(() => this.#notices).toEqual(expect.arrayContaining([...notices]));
  }

  end(): void {
    this.#client.release(true);
  }
}
