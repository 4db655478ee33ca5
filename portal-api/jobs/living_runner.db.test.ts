import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import pg from 'pg';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { compile } from '../../deploy/runtime/compile.ts';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { enqueue } from './task.ts';
import { TaskRunner } from './task_runner.ts';

const main = fileURLToPath(new URL('./testing/stuck_runner/main.ts', import.meta.url));
const PATIENCE_MS = 3_000;

let database: FreshDatabase;
let pool: pg.Pool;
let runners: TaskRunner[] = [];
let children: ChildProcess[] = [];

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 12 });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  await pool.query('create table test_run (process_id integer not null, result text not null)');
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

beforeEach(() => pool.query('delete from test_run'));

afterEach(async () => {
  for (const child of children) child.kill('SIGKILL');
  await Promise.all(runners.map((runner) => runner.stop()));
  await pool.query('delete from graphile_worker._private_jobs');
  [runners, children] = [[], []];
});

async function begin(): Promise<void> {
  const runner = new TaskRunner({
    ...{ pool, concurrency: 1, keeps_crontab: true, patience_ms: PATIENCE_MS, log: pino({ level: 'silent' }) },
    ...{ onDone: () => undefined, onEnded: () => undefined },
    tasks: [
      {
        name: 'test_work',
        run: async () => {
          await pool.query(`insert into test_run (process_id, result) values ($1, 'done')`, [process.pid]);
        },
      },
    ],
  });
  runners.push(runner);
  await runner.start();
}

/** A process that has a job in hand and will never be through with it. */
async function beginStuck(): Promise<ChildProcess> {
  const child = spawn(process.execPath, [...(await compile(main)), database.url], { stdio: 'inherit' });
  children.push(child);
  await enqueue(pool, { task: 'test_work', payload: {} });
  await expect.poll(runs, { timeout: 15_000 }).toEqual([`${child.pid} begun`]);
  return child;
}

const runs = async (): Promise<string[]> => {
  const { rows } = await pool.query<{ run: string }>(`select process_id || ' ' || result as run from test_run`);
  return rows.map(({ run }) => run).sort();
};

/** In whose names jobs are locked; a job that says it is done stays locked until its runner has put that down. */
const lockers = async (): Promise<string[]> => {
  const { rows } = await pool.query<{ locked_by: string }>(
    'select locked_by from graphile_worker.jobs where locked_by is not null order by id',
  );
  return rows.map(({ locked_by }) => locked_by);
};

/** A job that a process left behind which is long gone; once it is done, every other lock was looked at as often. */
async function leaveBehind(): Promise<void> {
  await enqueue(pool, { task: 'test_work', payload: {} });
  await pool.query(
    `update graphile_worker._private_jobs set locked_by = 'pool-gone', locked_at = now() where locked_by is null`,
  );
}

describe('the jobs of a process that was killed', () => {
  it('are carried out by another within seconds, once', async () => {
    const child = await beginStuck();
    await Promise.all([begin(), begin()]);
    child.kill('SIGKILL');
    const expected = [`${process.pid} done`, `${child.pid} begun`].sort();
    await expect.poll(runs, { timeout: 15_000 }).toEqual(expected);
    const left = () => pool.query('select 1 from graphile_worker.jobs').then(({ rowCount }) => rowCount);
    await expect.poll(left).toBe(0);
    expect(await runs()).toEqual(expected);
  });

  it('are not freed while it lives, be it stopped for a while or its session cut off', async () => {
    const child = await beginStuck();
    const [name] = await lockers();
    child.kill('SIGSTOP');
    await leaveBehind();
    await begin();
    const done = async (): Promise<number> => (await runs()).filter((run) => run.endsWith('done')).length;
    await expect.poll(done, { timeout: 15_000 }).toBe(1);
    await expect.poll(lockers).toEqual([name]);
    child.kill('SIGCONT');
    await pool.query(`select pg_terminate_backend(pid) from pg_locks where locktype = 'advisory' and objsubid = 1 and pid in
      (select pid from pg_stat_activity where query like '%task_runner:%' and pid <> pg_backend_pid() and datname = current_database())`);
    await leaveBehind();
    await expect.poll(done, { timeout: 15_000 }).toBe(2);
    await expect.poll(lockers).toEqual([name]);
  });

  it('leave nothing held by whoever stops in peace', async () => {
    await begin();
    await runners[0]?.stop();
    const held = () =>
      pool
        .query(
          `select 1 from pg_locks where locktype = 'advisory' and objsubid = 1 and database =
                 (select oid from pg_database where datname = current_database())`,
        )
        .then(({ rows }) => rows.length);
    await expect.poll(held).toBe(0);
  });
});
