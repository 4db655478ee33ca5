import { randomUUID } from 'node:crypto';
import pg from 'pg';
import pino from 'pino';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { forgetfulWay } from '../db/testing/forgetful_way.ts';
import { takeLease } from './lease.ts';
import { leaseName, LeaseKeeper } from './lease_keeper.ts';
import type { LeaseKeeperOptions } from './lease_keeper.ts';

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

/** By how much the process seems to have stood still. */
let still_ms = 0;

function keeper(wishes: Partial<LeaseKeeperOptions>): { lease: LeaseKeeper; lost: () => boolean } {
  let is_lost = false;
  const lease = new LeaseKeeper({
    ...{
      database_url: database.url,
      switch_id: randomUUID(),
      service: 'controller',
      owner: randomUUID(),
      retry_ms: 20,
    },
    ...{ works: () => true, now: () => new Date(), monotonic: () => performance.now() + still_ms },
    onLost: () => {
      is_lost = true;
    },
    log: pino({ level: 'silent' }),
    ...wishes,
  });
  return { lease, lost: () => is_lost };
}

it('a lease whose connection says nothing any more is taken anew within seconds, and stays the same one', async () => {
  const way = await forgetfulWay(database.url);
  const { lease, lost } = keeper({ database_url: way.url });
  await lease.take();
  const { epoch } = lease;
  expect(lease.sure).toBe(true);
  way.forget();
  try {
    await expect.poll(() => lease.sure, { timeout: 6_000 }).toBe(false);
    await expect.poll(() => lease.sure, { timeout: 10_000 }).toBe(true);
    expect([lease.epoch, lost()]).toEqual([epoch, false]);
  } finally {
    await lease.release();
    way.close();
  }
}, 30_000);

it('who stood still moves nothing before it is certain that nobody took over', async () => {
  const { lease } = keeper({});
  await lease.take();
  await lease.whenAwake();
  still_ms += 4_000;
  let is_awake = false;
  const waking = lease.whenAwake().then(() => {
    is_awake = lease.sure;
  });
  await Promise.resolve();
  expect([is_awake, lease.sure]).toEqual([false, false]);
  await waking;
  expect(is_awake).toBe(true);
  await lease.release();
});

it('and nothing ever where somebody did', async () => {
  const switch_id = randomUUID();
  const { lease, lost } = keeper({ switch_id });
  await lease.take();
  still_ms += 10_000;
  let is_awake = false;
  void lease.whenAwake().then(() => {
    is_awake = true;
  });
  await takeLease(pool, switch_id, randomUUID(), new Date());
  await pool.query(
    `select pg_terminate_backend(pid) from pg_locks
      where locktype = 'advisory' and objid::bigint = hashtext($1)::bigint & 4294967295`,
    [switch_id],
  );
  await expect.poll(lost, { timeout: 5_000 }).toBe(true);
  expect(is_awake).toBe(false);
  await lease.release();
});

it('says by its name whether it works', async () => {
  let works = true;
  const { lease } = keeper({ works: () => works });
  await lease.take();
  const named = (is_working: boolean) => async (): Promise<number | null> =>
    (
      await pool.query('select 1 from pg_stat_activity where datname = current_database() and application_name = $1', [
        leaseName('controller', is_working),
      ])
    ).rowCount;
  await expect.poll(named(true)).toBe(1);
  works = false;
  await expect.poll(named(false), { timeout: 3_000 }).toBe(1);
  expect(await named(true)()).toBe(0);
  works = true;
  await expect.poll(named(true), { timeout: 3_000 }).toBe(1);
  await lease.release();
});
