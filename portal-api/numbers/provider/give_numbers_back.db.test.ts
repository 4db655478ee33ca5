import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { sendEvent } from '../../../deploy/number_provider/webhook.ts';
import { giveUpJob } from '../../jobs/testing/give_up_job.ts';
import { enqueue } from '../../jobs/task.ts';
import { makeAdmin } from '../../testing/people.ts';
import { buyerOf, orderState, PATIENCE, UNIT } from '../testing/buying.ts';
import type { OrderBody } from '../testing/buying.ts';
import { makeHolder } from '../testing/holder.ts';
import { partnerWorld } from '../testing/partner_world.ts';
import type { PartnerWorld } from '../testing/partner_world.ts';
import { putInStock } from '../testing/stock.ts';

let partner: PartnerWorld;

beforeAll(async () => {
  partner = await partnerWorld();
});

beforeEach(() => partner.provider.behave({}));

afterAll(() => partner.end());

/** How the provider has it with the orders of a number. */
const statesOf = (number: string): string[] =>
  [...partner.provider.orders.values()].filter((one) => one.number === number).map(({ state }) => state);

/** Has what is left to give back looked for, and given back. */
async function lookAgain(): Promise<void> {
  const { pool } = partner.world;
  await enqueue(pool, { task: 'look_at_numbers_to_give_back', payload: {} });
  const waiting = async (): Promise<number> => {
    const { rows } = await pool.query<{ n: number }>(
      `select count(*)::int as n from graphile_worker.jobs
        where task_identifier in ('look_at_numbers_to_give_back', 'release_number_order') and attempts < max_attempts`,
    );
    return rows[0]?.n ?? 0;
  };
  await expect.poll(waiting, PATIENCE).toBe(0);
}

it('a number that was given back while the provider was away for long is given back in the end, and no other is', async () => {
  const { world, provider } = partner;
  const [number, kept] = ['+4940500001', '+4940500002'];
  await putInStock(world.pool, [number, kept], { provider: 'partner' });
  const { client } = await buyerOf(world, number, { balance_micros: 10n * UNIT });
  await buyerOf(world, kept, { balance_micros: 10n * UNIT });
  provider.behave({ outage: 'errors' });
  expect(await client.post(`/v1/numbers/${number}/cancellation`, { when: 'now' })).toMatchObject({ status: 201 });
  await giveUpJob(world.pool, 'release_number:');
  provider.behave({});
  await lookAgain();
  expect([statesOf(number), statesOf(kept)]).toEqual([['released'], ['supplied']]);
});

it('so is one whose order has failed', async () => {
  const { world, provider } = partner;
  const number = '+4940500003';
  await putInStock(world.pool, [number], { provider: 'partner' });
  provider.behave({ provision_ms: 60_000 });
  const client = await (await makeHolder(world, { balance_micros: 10n * UNIT })).signIn();
  const { body } = await client.post<OrderBody>('/v1/number-orders', { number });
  await expect.poll(() => statesOf(number), PATIENCE).toEqual(['working']);
  provider.behave({ outage: 'errors' });
  const admin = await (await makeAdmin(world, ['operations'])).signIn();
  const failed = await admin.post(`/v1/admin/number-orders/${body.order_id}/fail`, { reason: 'a test gave it up' });
  expect(failed).toMatchObject({ status: 200 });
  await giveUpJob(world.pool, `release_number_order:${body.order_id}`);
  provider.behave({});
  await lookAgain();
  expect(statesOf(number)).toEqual(['released']);
  expect(await orderState(client, body.order_id)).toBe('failed');
});

it('so is one that the provider supplies after its order was given up and it was told so', async () => {
  const { world, provider } = partner;
  const number = '+4940500004';
  await putInStock(world.pool, [number], { provider: 'partner' });
  provider.behave({ provision_ms: 60_000 });
  const client = await (await makeHolder(world, { balance_micros: 10n * UNIT })).signIn();
  const { body } = await client.post<OrderBody>('/v1/number-orders', { number });
  await expect.poll(() => statesOf(number), PATIENCE).toEqual(['working']);
  const admin = await (await makeAdmin(world, ['operations'])).signIn();
  await admin.post(`/v1/admin/number-orders/${body.order_id}/fail`, { reason: 'a test gave it up' });
  await expect.poll(() => statesOf(number), PATIENCE).toEqual(['released']);

  const theirs = provider.orders.get(body.order_id);
  if (theirs !== undefined) provider.orders.set(body.order_id, { ...theirs, state: 'supplied', reachable: true });
  const event = { id: randomUUID(), type: 'order.supplied' as const, order_id: body.order_id };
  if (provider.webhook === null) throw new Error('The provider tells nobody.');
  expect(await sendEvent(provider.webhook, event, world.now())).toBe('taken');
  await expect.poll(() => statesOf(number), PATIENCE).toEqual(['released']);
  expect(await orderState(client, body.order_id)).toBe('failed');
});
