import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../../deploy/testing/database.ts';
import { loadIndex } from './load_index.ts';

const IMPATIENT_MS = 2_000;
let database: FreshDatabase;
let operator: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  operator = new pg.Pool({ connectionString: database.url, max: 2 });
});

afterAll(async () => {
  await operator.end();
  await database.drop();
});

it('rates are read in as long as that takes, over connections that give up a caller’s question sooner', async () => {
  const impatient = { query_timeout: IMPATIENT_MS, statement_timeout: IMPATIENT_MS };
  const pool = new pg.Pool({ connectionString: database.url, max: 1, application_name: 'impatient', ...impatient });
  const locker = await operator.connect();
  try {
    await locker.query('begin');
    await locker.query('lock table rate in access exclusive mode');
    const loading = loadIndex(pool, Date.now());
    const waits = async (): Promise<unknown> =>
      (
        await operator.query(
          `select 1 from pg_stat_activity
            where application_name = 'impatient' and wait_event_type = 'Lock' and clock_timestamp() - query_start > $1 * interval '1 ms'`,
          [IMPATIENT_MS + 400],
        )
      ).rowCount;
    await Promise.race([loading, expect.poll(waits).toBe(1)]);
    await locker.query('commit');
    expect((await loading).size).toMatchObject({ decks: 0, rates: 0 });
    // Whoever has the connection next is as impatient as before.
    const { rows } = await pool.query<{ statement_timeout: string }>('show statement_timeout');
    expect(rows[0]?.statement_timeout).toBe('2s');
  } finally {
    locker.release(true);
    await pool.end();
  }
});
