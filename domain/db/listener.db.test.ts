import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { Listener } from './listener.ts';
import { forgetfulWay } from './testing/forgetful_way.ts';

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 1 });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

it('a connection that is silently lost is noticed, and what is notified then is heard over another', async () => {
  const way = await forgetfulWay(database.url);
  const heard: string[] = [];
  let times = 0;
  const lost: (Error | null)[] = [];
  const listener = new Listener({
    ...{ database_url: way.url, channels: { something: (payload) => heard.push(payload) }, retry_ms: 20 },
    onConnected: () => {
      times += 1;
    },
    onLost: (error) => lost.push(error),
    pulse: { every_ms: 50, silent_ms: 3_000 },
  });
  await listener.start();
  try {
    await pool.query(`select pg_notify('something', 'before')`);
    await expect.poll(() => heard).toEqual(['before']);
    expect(lost).toEqual([]);
    way.forget();
    await expect.poll(() => times, { timeout: 20_000 }).toBe(2);
    expect(lost).toHaveLength(1);
    await pool.query(`select pg_notify('something', 'after')`);
    await expect.poll(() => heard).toEqual(['before', 'after']);
  } finally {
    await listener.stop();
    way.close();
  }
});
