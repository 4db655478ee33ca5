import { afterAll, beforeAll, expect, it } from 'vitest';
import { PortalWorld } from '../testing/portal_world.ts';
import { enqueue } from './task.ts';

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
});

afterAll(() => world.end());

const forgetOld = (): Promise<void> => enqueue(world.pool, { task: 'forget_given_up_tasks', payload: {} });

async function left(): Promise<string[]> {
  const { rows } = await world.pool.query<{ name: string }>(
    `select task_identifier as name from graphile_worker.jobs where task_identifier in ('given_up', 'waiting') order by 1`,
  );
  return rows.map(({ name }) => name);
}

it('tasks that were given up are forgotten after a month, and those that wait are not', async () => {
  await enqueue(world.pool, { task: 'given_up', payload: { address: '192.0.2.1' }, attempts_max: 1 });
  await enqueue(world.pool, { task: 'waiting', payload: {} });
  // Nobody knows either, so that nobody but this has tried one.
  await world.pool.query(
    `update graphile_worker._private_jobs j set attempts = max_attempts from graphile_worker._private_tasks t
      where t.id = j.task_id and t.identifier = 'given_up'`,
  );
  world.advance(29 * 86_400_000);
  await forgetOld();
  const waits = async (): Promise<number> =>
    (await world.pool.query(`select 1 from graphile_worker.jobs where task_identifier = 'forget_given_up_tasks'`)).rows
      .length;
  await expect.poll(waits, { timeout: 8_000 }).toBe(0);
  expect(await left()).toEqual(['given_up', 'waiting']);
  world.advance(2 * 86_400_000);
  await forgetOld();
  await expect.poll(left, { timeout: 8_000 }).toEqual(['waiting']);
});
