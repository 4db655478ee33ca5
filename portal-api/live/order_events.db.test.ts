import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { SimulatedNumberProvider } from '../../deploy/number_provider/number_provider.ts';
import { providerSettingsSchema } from '../../deploy/number_provider/settings.ts';
import { enqueue } from '../jobs/task.ts';
import { orderState, PATIENCE, UNIT, untilIdle } from '../numbers/testing/buying.ts';
import type { OrderBody } from '../numbers/testing/buying.ts';
import { needDocumentsIn } from '../numbers/testing/documents.ts';
import { putInStock } from '../numbers/testing/stock.ts';
import { makeUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { tellCustomer } from './tell_customer.ts';

const key = randomBytes(20).toString('hex');
const secret = randomBytes(20).toString('hex');

let world: PortalWorld;
let provider: SimulatedNumberProvider;

beforeAll(async () => {
  provider = new SimulatedNumberProvider(providerSettingsSchema.parse({ key }), () => world.now());
  await provider.start();
  world = await PortalWorld.begin({
    ...{ NUMBER_PROVIDER_URL: provider.url, NUMBER_PROVIDER_KEY: key, NUMBER_PROVIDER_WEBHOOK_SECRET: secret },
  });
  provider.webhook = { url: `${world.url}/v1/webhooks/number-provider`, secret };
  await needDocumentsIn(world.pool, ['GB']);
});

afterAll(async () => {
  await world.end();
  await provider.stop();
});

/** What a stream says from now on until the word that ends the test, in the order of its coming: each event as `type id state`. */
async function toldUntil(stream: Response, is_last: string): Promise<string[]> {
  let text = '';
  for await (const chunk of stream.body?.pipeThrough(new TextDecoderStream()) ?? []) {
    text += chunk;
    const events = [...text.matchAll(/^event: (.+)\ndata: (.+)\n\n/gmu)].map(([, type, data]) => {
      const { id, state } = JSON.parse(data ?? '') as { id: string; state?: string };
      return [type, id, state].join(' ');
    });
    if (events.includes(is_last)) return events.slice(0, events.indexOf(is_last));
  }
  throw new Error(`The stream ended before: ${text}`);
}

interface Listening {
  client: PortalClient;
  account_id: string;
  /** All that the customer is told until nothing more comes of what was done. */
  told: () => Promise<string[]>;
}

async function listening(): Promise<Listening> {
  const user = await makeUser(world, { balance_micros: 10n * UNIT });
  const client = await user.signIn();
  const stream = await client.stream('/v1/events');
  expect(stream.status).toBe(200);
  const told = async (): Promise<string[]> => {
    await untilIdle(world);
    // Notifications come in the order of the commits, so after this one nothing of the above is on its way.
    await tellCustomer(world.pool, user.account_id, { type: 'test', id: 'the', state: 'end' });
    return toldUntil(stream, 'test the end');
  };
  return { client, account_id: user.account_id, told };
}

/** Of a stream with others' and other events in it. */
const statesOf = (told: readonly string[], type: string, id: string): string[] =>
  told.filter((one) => one.startsWith(`${type} ${id} `)).map((one) => one.slice(`${type} ${id} `.length));

describe('the stream of a customer’s events', () => {
  it('tells an order from the hold to a number that works: each state once, in its order, though its provider tells all of it thrice', async () => {
    const number = '+4950700100';
    await putInStock(world.pool, [number], { provider: 'partner' });
    provider.behave({ provision_ms: 200, test_ms: 100, webhook_copies: 3, webhook_delay_ms: 20, shuffled: true });
    const [{ client, told }, other] = [await listening(), await listening()];
    expect(await client.ask('PUT', `/v1/number-offers/${number}/hold`)).toMatchObject({ status: 200 });
    // It is held already, so that there is nothing to tell.
    expect(await client.ask('PUT', `/v1/number-offers/${number}/hold`)).toMatchObject({ status: 200 });
    const { body } = await client.post<OrderBody>('/v1/number-orders', { number });
    await expect.poll(() => orderState(client, body.order_id), PATIENCE).toBe('active');
    await expect
      .poll(() => provider.told.filter(({ event }) => event.order_id === body.order_id).length, PATIENCE)
      .toBe(6);
    const heard = await told();
    const order_id = body.order_id;
    expect(heard.filter((one) => /^(?:number|order) /u.test(one))).toEqual([
      ...[`number ${number} held`, `order ${order_id} provisioning`, `order ${order_id} testing`],
      ...[`number ${number} active`, `order ${order_id} active`],
    ]);
    // What it was told is what became of it.
    const { body: read } = await client.get<{ timeline: { state: string }[] }>(`/v1/number-orders/${order_id}`);
    const states = read.timeline.map(({ state }) => state).filter((state) => state !== 'ordered');
    expect(statesOf(heard, 'order', order_id)).toEqual(states);
    expect(await other.told()).toEqual([]);
  });

  it('tells each state once though several ask the provider at one moment, and each hears that it has moved on', async () => {
    const number = '+4950700102';
    await putInStock(world.pool, [number], { provider: 'partner' });
    provider.behave({ provision_ms: 200, webhook_copies: 0 });
    const { client, told } = await listening();
    const { order_id } = (await client.post<OrderBody>('/v1/number-orders', { number })).body;
    const locking = await world.pool.connect();
    try {
      await locking.query('begin');
      await locking.query('select from did where number = $1 for update', [number]);
      await expect.poll(() => provider.orders.get(order_id)?.state, PATIENCE).toBe('supplied');
      await Promise.all(
        Array.from({ length: 4 }, () => enqueue(world.pool, { task: 'drive_number_order', payload: { order_id } })),
      );
      const waiting = async (): Promise<number> => {
        const { rows } = await world.pool.query<{ n: number }>(
          `select count(*)::integer as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
        );
        return rows[0]?.n ?? 0;
      };
      await expect.poll(waiting, PATIENCE).toBeGreaterThan(1);
      await locking.query('commit');
    } finally {
      locking.release();
    }
    await expect.poll(() => orderState(client, order_id), PATIENCE).toBe('active');
    expect(statesOf(await told(), 'order', order_id)).toEqual(['provisioning', 'testing', 'active']);
  });

  it('tells that an order waits for documents and is given up, and that a number is let go', async () => {
    const number = '+442079460100';
    await putInStock(world.pool, [number], { provider: 'partner', country: 'GB' });
    const { client, told } = await listening();
    await client.ask('PUT', `/v1/number-offers/${number}/hold`);
    expect(await client.ask('DELETE', `/v1/number-offers/${number}/hold`)).toMatchObject({ status: 204 });
    const { body } = await client.post<OrderBody>('/v1/number-orders', { number, wait_for_kyc: true });
    expect(await client.post(`/v1/number-orders/${body.order_id}/cancel`)).toMatchObject({ status: 200 });
    expect(await told()).toEqual([
      ...[`number ${number} held`, `number ${number} let_go`],
      ...[`order ${body.order_id} pending_kyc`, `order ${body.order_id} cancelled`],
    ]);
  });

  it('tells that an order has failed, once, and that the money is back', async () => {
    const number = '+4950700101';
    await putInStock(world.pool, [number], { provider: 'partner' });
    provider.behave({ refused: [number], webhook_copies: 3 });
    const { client, told } = await listening();
    const { body } = await client.post<OrderBody>('/v1/number-orders', { number });
    await expect.poll(() => orderState(client, body.order_id), PATIENCE).toBe('failed');
    const heard = await told();
    expect(statesOf(heard, 'order', body.order_id)).toEqual(['provisioning', 'failed']);
    expect(heard.filter((one) => one.startsWith('wallet '))).toHaveLength(1);
  });
});
