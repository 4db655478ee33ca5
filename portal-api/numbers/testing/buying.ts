import { expect } from 'vitest';
import type { TestUser } from '../../testing/people.ts';
import type { PortalClient } from '../../testing/portal_client.ts';
import type { PortalWorld } from '../../testing/portal_world.ts';
import { enqueue } from '../../jobs/task.ts';
import { makeHolder } from './holder.ts';

export const UNIT = 1_000_000n;

/** Tasks wait for one another, and for the machine. */
export const PATIENCE = { timeout: 10_000 };

export interface OrderBody {
  order_id: string;
  state: string;
  failure: string | null;
}

/** What a type of a problem looks like in an answer. */
export const problem = (name: string): { body: { type: string } } => ({
  body: { type: `urn:letsdial:problem:${name}` },
});

export async function balanceOf(world: PortalWorld, { wallet_id }: TestUser): Promise<bigint> {
  const { rows } = await world.pool.query<{ balance_micros: string }>(
    'select balance_micros from wallet where id = $1',
    [wallet_id.toString()],
  );
  return BigInt(rows[0]?.balance_micros ?? -1);
}

export async function orderState(client: PortalClient, order_id: string): Promise<string> {
  return (await client.get<OrderBody>(`/v1/number-orders/${order_id}`)).body.state;
}

/** A customer who has just bought a number that is in stock. */
export async function buyerOf(
  world: PortalWorld,
  number: string,
  wishes: { balance_micros: bigint; tax_ppm?: number },
): Promise<{ user: TestUser; client: PortalClient }> {
  const user = await makeHolder(world, wishes);
  const client = await user.signIn();
  const placed = await client.post<OrderBody>('/v1/number-orders', { number });
  expect(placed.status).toBe(201);
  await expect.poll(() => orderState(client, placed.body.order_id), PATIENCE).toBe('active');
  return { user, client };
}

/** Has a task carried out, and waits until it was. */
export async function carryOut(
  world: PortalWorld,
  task: string,
  payload: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  await enqueue(world.pool, { task, payload });
  await untilIdle(world);
}

/** Until no task waits that is due. */
export async function untilIdle(world: PortalWorld): Promise<void> {
  const waiting = async (): Promise<string[]> => {
    const { rows } = await world.pool.query<{ identifier: string; last_error: string | null }>(
      `select task_identifier as identifier, last_error from graphile_worker.jobs
        where task_identifier like '%number%' and (locked_at is not null or run_at <= now())`,
    );
    return rows.map(({ identifier, last_error }) => `${identifier}: ${last_error ?? 'waits'}`);
  };
  await expect.poll(waiting, PATIENCE).toEqual([]);
}
