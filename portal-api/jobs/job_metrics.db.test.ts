import pg from 'pg';
import pino from 'pino';
import { Registry } from 'prom-client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { watchJobs } from './job_metrics.ts';
import { enqueue } from './task.ts';
import { TaskRunner } from './task_runner.ts';

let database: FreshDatabase;
let pool: pg.Pool;
let runner: TaskRunner;
let finish = (): void => undefined;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 6 });
  pool.on('error', () => undefined);
  pool.on('connect', (client) => client.on('error', () => undefined));
  const finished = new Promise<void>((resolve) => {
    finish = resolve;
  });
  runner = new TaskRunner({
    ...{ pool, concurrency: 2, keeps_crontab: true, log: pino({ level: 'silent' }) },
    ...{ onDone: () => undefined, onEnded: () => undefined },
    tasks: [
      { name: 'fails', run: () => Promise.reject(new Error('no luck')) },
      { name: 'takes_long', run: () => finished },
    ],
  });
  await runner.start();
});

afterAll(async () => {
  finish();
  await runner.stop();
  await pool.end();
  await database.drop();
});

async function figures(registry: Registry): Promise<Record<string, number>> {
  const told = (await registry.metrics()).split('\n').filter((line) => line.startsWith('portal_jobs'));
  return Object.fromEntries(
    told.map((line): [string, number] => [line.split(' ')[0] ?? '', Number(line.split(' ')[1])]),
  );
}

it('tasks are counted by what they are at, and those that were given up stay in sight', async () => {
  const registry = new Registry();
  watchJobs(registry, pool);
  await enqueue(pool, { task: 'fails', payload: {}, attempts_max: 1 });
  await enqueue(pool, { task: 'fails', payload: {}, attempts_max: 5 });
  await enqueue(pool, { task: 'takes_long', payload: {} });
  await enqueue(pool, { task: 'takes_long', payload: {}, run_at: new Date(Date.now() + 3_600_000) });
  // Nobody knows this one, as of a version that is not here yet.
  await enqueue(pool, { task: 'unknown_here', payload: {}, run_at: new Date(Date.now() - 60_000) });
  await expect
    .poll(() => figures(registry))
    .toMatchObject({
      'portal_jobs{state="dead"}': 1,
      'portal_jobs{state="failing"}': 1,
      'portal_jobs{state="running"}': 1,
      'portal_jobs{state="waiting"}': 2,
    });
  const oldest = (await figures(registry))['portal_jobs_oldest_due_seconds'] ?? 0;
  expect(oldest).toBeGreaterThan(59);
  expect(oldest).toBeLessThan(120);
});

it('without its database the other metrics are told', async () => {
  const registry = new Registry();
  const nowhere = new pg.Pool({ connectionString: 'postgres://nobody@127.0.0.1:1/none' });
  watchJobs(registry, nowhere);
  expect(await figures(registry)).toEqual({ portal_jobs_oldest_due_seconds: 0 });
  await nowhere.end();
});
