import { createClient } from 'redis';
import { Outage } from '../runtime/outage.ts';
import { immortal } from '../runtime/running.ts';
import type { Running } from '../runtime/running.ts';
import { startValkey } from '../runtime/valkey.ts';
import type { Part } from '../supervise/part.ts';

export interface Cache extends Running {
  url: string;
}

export interface ValkeyPartOptions {
  program: string;
  home: string;
  port: number | null;
  /** Of a Redis that runs elsewhere; null: one of our own. */
  url: string | null;
}

export function valkeyPart(options: ValkeyPartOptions): Part<Cache> {
  const { url } = options;
  return { name: 'Valkey', start: () => (url === null ? startValkey(options) : elsewhere(url)) };
}

async function elsewhere(url: string): Promise<Cache> {
  const client = createClient({ url, socket: { connectTimeout: 10_000, reconnectStrategy: false } });
  // What goes wrong while connecting is thrown by connect() as well.
  client.on('error', () => undefined);
  try {
    await client.connect();
    await client.ping();
  } catch (error) {
    throw new Outage(
      `The Redis of REDIS_URL does not let us in (${error instanceof Error ? error.message : String(error)}), so nothing was started: check the address and the password, or unset it for a Valkey of Letsdial's own.`,
    );
  } finally {
    client.destroy();
  }
  return {
    describe: `Redis at ${new URL(url).host}`,
    url,
    stop: () => Promise.resolve(),
    kill: () => undefined,
    died: immortal,
  };
}
