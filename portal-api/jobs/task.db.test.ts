import { runMigrations } from 'graphile-worker';
import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { enqueue } from './task.ts';

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 4 });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  await runMigrations({ pgPool: pool });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

const BARRIER = 4711;
const job = { task: 'look', payload: {}, key: 'look:1' };

/** What a worker does with it. */
const begin = (): Promise<unknown> =>
  pool.query(`update graphile_worker._private_jobs set locked_at = now(), locked_by = 'worker', attempts = 1`);

async function jobs(): Promise<unknown[]> {
  const { rows } = await pool.query<{ key: string | null; has_begun: boolean }>(
    'select key, locked_at is not null as has_begun from graphile_worker._private_jobs order by id',
  );
  return rows;
}

it('a task that is asked for while one of its key begins is carried out once more', async () => {
  await enqueue(pool, job);
  // New jobs wait before they are written, as they do where the database is busy.
  await pool.query(`
    create function wait_at_barrier() returns trigger language plpgsql as $$
    begin
      perform pg_advisory_xact_lock(${BARRIER});
      return new;
    end $$;
    create trigger wait_at_barrier before insert on graphile_worker._private_jobs
      for each row execute function wait_at_barrier()`);
  const barrier = await pool.connect();
  await barrier.query('select pg_advisory_lock($1)', [BARRIER]);
  const asked = enqueue(pool, job);
  const isWaiting = async (): Promise<boolean> => {
    const { rows } = await pool.query(
      `select 1 from pg_locks where locktype = 'advisory' and objid = $1 and not granted`,
      [BARRIER],
    );
    return rows.length > 0;
  };
  await expect.poll(isWaiting).toBe(true);
  await begin();
  await barrier.query('select pg_advisory_unlock($1)', [BARRIER]);
  barrier.release();
  await asked;
  expect(await jobs()).toEqual([
    { key: null, has_begun: true },
    { key: job.key, has_begun: false },
  ]);
});

it('a task that waits already is not carried out twice', async () => {
  await pool.query('delete from graphile_worker._private_jobs');
  await enqueue(pool, job);
  await enqueue(pool, job);
  expect(await jobs()).toEqual([{ key: job.key, has_begun: false }]);
});
