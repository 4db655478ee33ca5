import pg from 'pg';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { BoundedPool } from '../database_pulse.ts';
import { enqueue } from './task.ts';
import { TaskRunner } from './task_runner.ts';

let database: FreshDatabase;
let admin: pg.Pool;
let pool: BoundedPool;
let runner: TaskRunner;
const pulse = { is_away: false };
/** What the task does, and how often it was carried out. */
let work: () => Promise<void> | void = () => undefined;
let times = 0;
const unheard: unknown[] = [];
/** By then nobody is waited for any more that cannot have a connection. */
const GIVEN_UP_MS = 5_000;
const hear = (reason: unknown): unknown => unheard.push(reason);

beforeAll(async () => {
  database = await freshDatabase();
  admin = new pg.Pool({ connectionString: database.url, max: 2 });
  pool = new BoundedPool({ connectionString: database.url, max: 4, application_name: 'tasks' }, pulse);
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  process.on('unhandledRejection', hear);
});

afterEach(async () => {
  pulse.is_away = false;
  await runner.stop();
  await admin.query('delete from graphile_worker._private_jobs');
});

afterAll(async () => {
  process.off('unhandledRejection', hear);
  await Promise.all([pool.end(), admin.end()]);
  await database.drop();
});

async function begin(does: () => Promise<void> | void, { concurrency = 1, keeps_crontab = true } = {}): Promise<void> {
  [work, times] = [does, 0];
  runner = new TaskRunner({
    ...{ pool, concurrency, keeps_crontab, log: pino({ level: 'silent' }) },
    ...{ onDone: () => undefined, onEnded: (error) => unheard.push(error) },
    tasks: [
      {
        name: 'test_work',
        cron: '*/10 * * * *',
        run: async () => {
          times += 1;
          await work();
        },
      },
    ],
  });
  await runner.start();
  await enqueue(admin, { task: 'test_work', payload: {} });
}

const job = async (): Promise<{ last_error: string | null; locked_by: string | null } | null> => {
  const { rows } = await admin.query<{ last_error: string | null; locked_by: string | null }>(
    'select last_error, locked_by from graphile_worker._private_jobs',
  );
  return rows[0] ?? null;
};

it('writes that a job failed when the database is there again, and nothing goes unheard', async () => {
  await begin(() => {
    pulse.is_away = true;
    throw new Error('no luck');
  });
  await expect.poll(() => pulse.is_away).toBe(true);
  expect(await job()).toMatchObject({ last_error: null, locked_by: expect.any(String) as unknown });
  pulse.is_away = false;
  await expect.poll(job, { timeout: 5_000 }).toEqual({ last_error: 'no luck', locked_by: null });
  expect(times).toBe(1);
  expect(unheard).toEqual([]);
});

it('writes that a job is done when the database is there again, and carries it out once', async () => {
  await begin(() => {
    pulse.is_away = true;
  });
  await expect.poll(() => pulse.is_away).toBe(true);
  expect(await job()).toMatchObject({ locked_by: expect.any(String) as unknown });
  pulse.is_away = false;
  await expect.poll(job, { timeout: 5_000 }).toBeNull();
  expect(times).toBe(1);
  expect(unheard).toEqual([]);
});

it('writes what became of a job once more when the connection is cut off meanwhile', async () => {
  const blocker = await admin.connect();
  await begin(async () => {
    await blocker.query('begin; select 1 from graphile_worker._private_jobs for update');
  });
  // What is written waits for the blocker.
  const waiting = `from pg_stat_activity where application_name = 'tasks' and wait_event_type = 'Lock'`;
  const waits = () => admin.query(`select 1 ${waiting}`).then(({ rows }) => rows.length);
  await expect.poll(waits, { timeout: 5_000 }).toBe(1);
  await admin.query(`select pg_terminate_backend(pid) ${waiting}`);
  await blocker.query('rollback');
  blocker.release();
  await expect.poll(job, { timeout: 5_000 }).toBeNull();
  expect(times).toBe(1);
  expect(unheard).toEqual([]);
});

it('stops while the database is away, and leaves what it could not write to others', async () => {
  await begin(() => {
    pulse.is_away = true;
  });
  await expect.poll(() => pulse.is_away).toBe(true);
  await runner.stop();
  expect(await job()).toMatchObject({ locked_by: expect.any(String) as unknown });
  expect(unheard).toEqual([]);
});

it('writes what became of a job when the database comes back while it stops', async () => {
  await begin(() => {
    pulse.is_away = true;
  });
  await expect.poll(() => pulse.is_away).toBe(true);
  const stopped = runner.stop();
  pulse.is_away = false;
  await stopped;
  expect(await job()).toBeNull();
  expect(times).toBe(1);
});

it('keeps its name while a task is under way, also where the database is away when it stops', async () => {
  let finish = (): void => undefined;
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  await begin(() => finished, { concurrency: 2 });
  await expect.poll(() => times).toBe(1);
  pulse.is_away = true;
  let has_stopped = false;
  const stopped = runner.stop().then(() => {
    has_stopped = true;
  });
  const held = `select 1 from pg_locks where locktype = 'advisory' and objsubid = 1
                 and database = (select oid from pg_database where datname = current_database())`;
  // The other worker looks for a job, cannot, and is given up.
  await new Promise((resolve) => setTimeout(resolve, GIVEN_UP_MS));
  expect(has_stopped).toBe(false);
  expect((await admin.query(held)).rowCount).toBe(1);
  finish();
  await stopped;
  await expect.poll(async () => (await admin.query(held)).rowCount).toBe(0);
});

it.each([
  { keeps_crontab: false, known: [] },
  { keeps_crontab: true, known: ['test_work'] },
])(
  'puts what has a time of its own into the crontab, where one is kept ($keeps_crontab)',
  async ({ keeps_crontab, known }) => {
    await admin.query('delete from graphile_worker._private_known_crontabs');
    await begin(() => undefined, { keeps_crontab });
    await expect.poll(job, { timeout: 5_000 }).toBeNull();
    // The runner writes there which of its entries it knows.
    await expect
      .poll(
        async () =>
          (await admin.query<{ identifier: string }>('select identifier from graphile_worker._private_known_crontabs'))
            .rows,
      )
      .toEqual(known.map((identifier) => ({ identifier })));
  },
);
