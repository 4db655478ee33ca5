import { createClient } from 'redis';
import { inject } from 'vitest';

const newClient = (url: string) => createClient({ url });
type Client = ReturnType<typeof newClient>;

export interface FreshRedis {
  /** Names a database of its own, empty. */
  url: string;
  flush: () => Promise<void>;
}

/** Database 0 counts which numbers are given away. */
const COUNTER = 'databases_given';

/** A numbered database that no other test file of this run has. */
export async function freshRedis(): Promise<FreshRedis> {
  const url = inject('redis_url');
  const number = await withRedis(url, (client) => client.incr(COUNTER));
  const own = new URL(url);
  own.pathname = `/${number}`;
  return {
    url: own.href,
    flush: () =>
      withRedis(own.href, async (client) => {
        await client.flushDb();
      }),
  };
}

async function withRedis<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = newClient(url);
  await client.connect();
  try {
    return await work(client);
  } finally {
    client.destroy();
  }
}
