import { randomBytes, randomUUID } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { SimulatedNumberProvider } from '../../../deploy/number_provider/number_provider.ts';
import { providerSettingsSchema } from '../../../deploy/number_provider/settings.ts';
import { sendEvent } from '../../../deploy/number_provider/webhook.ts';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { makeAdmin, makeUser } from '../../testing/people.ts';
import type { TestUser, UserWishes } from '../../testing/people.ts';
import type { PortalClient } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { balanceOf, carryOut, orderState, PATIENCE, problem, UNIT, untilIdle } from '../testing/buying.ts';
import type { OrderBody } from '../testing/buying.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { makeHolder } from '../testing/holder.ts';
import { putInStock } from '../testing/stock.ts';

const secret = randomBytes(20).toString('hex');
const key = randomBytes(20).toString('hex');

let world: PortalWorld;
let provider: SimulatedNumberProvider;
let webhook: { url: string; secret: string };

beforeAll(async () => {
  provider = new SimulatedNumberProvider(providerSettingsSchema.parse({ key }), () => world.now());
  await provider.start();
  world = await PortalWorld.begin({
    ...{ NUMBER_PROVIDER_URL: provider.url, NUMBER_PROVIDER_KEY: key, NUMBER_PROVIDER_WEBHOOK_SECRET: secret },
  });
  webhook = { url: `${world.url}/v1/webhooks/number-provider`, secret };
  await needDocumentsIn(world.pool, ['GB']);
});

beforeEach(() => {
  provider.behave({});
  provider.webhook = webhook;
});

afterAll(async () => {
  await world.end();
  await provider.stop();
});

let last = 0;

interface OrderWishes {
  country?: string;
  wait_for_kyc?: boolean;
  holder?: UserWishes;
  make?: typeof makeHolder;
}

async function order(
  wishes: OrderWishes = {},
  before: (number: string) => void = () => undefined,
): Promise<{ user: TestUser; client: PortalClient; number: string; order_id: string; state: string; status: number }> {
  last += 1;
  const number = `+4940200${String(last).padStart(3, '0')}`;
  await putInStock(world.pool, [number], { provider: 'partner', country: wishes.country ?? 'DE' });
  before(number);
  const { wait_for_kyc = false, holder = {}, make = makeHolder } = wishes;
  const user = await make(world, { balance_micros: 10n * UNIT, tax_ppm: 190_000, ...holder });
  const client = await user.signIn();
  const { status, body } = await client.post<OrderBody>('/v1/number-orders', { number, wait_for_kyc });
  return { user, client, number, order_id: body.order_id, state: body.state, status };
}

const failureOf = async (client: PortalClient, order_id: string): Promise<string | null> =>
  (await client.get<OrderBody>(`/v1/number-orders/${order_id}`)).body.failure;

describe('an order at a provider that takes its time', () => {
  it('is active when the provider has told of it, twice, late and in the wrong order', async () => {
    provider.behave({ provision_ms: 1_000, test_ms: 50, webhook_copies: 3, webhook_delay_ms: 50, shuffled: true });
    const { client, user, order_id, state } = await order();
    expect(state).toBe('provisioning');
    await expect.poll(() => orderState(client, order_id), PATIENCE).toBe('active');
    await expect.poll(() => provider.told.filter(({ event }) => event.order_id === order_id).length, PATIENCE).toBe(6);
    expect(new Set(provider.told.map(({ result }) => result))).toEqual(new Set(['taken']));
    await untilIdle(world);
    expect(await balanceOf(world, user)).toBe(10n * UNIT - 4_760_000n);
  });

  it('goes on without any message, as it is looked at now and then', async () => {
    provider.webhook = null;
    provider.behave({ provision_ms: 50 });
    const { client, order_id } = await order();
    await expect.poll(() => provider.orders.get(order_id)?.reachable, PATIENCE).toBe(true);
    await carryOut(world, 'look_at_number_orders');
    expect(await orderState(client, order_id)).toBe('active');
  });

  it('is ordered once though the answer was lost', async () => {
    const { client, order_id, number } = await order({}, () => provider.behave({ answers_lost: 1 }));
    await expect.poll(() => orderState(client, order_id), PATIENCE).toBe('active');
    expect([...provider.orders.values()].filter((one) => one.number === number)).toHaveLength(1);
  });
});

describe('an order that does not come to work', () => {
  it.each(['refused', 'unreachable'] as const)(
    'as its number is %s, has failed and is refunded to the micro',
    async (how) => {
      const { client, user, order_id } = await order({}, (number) => provider.behave({ [how]: [number] }));
      await expect.poll(() => orderState(client, order_id), PATIENCE).toBe('failed');
      expect(await failureOf(client, order_id)).toBe(how === 'refused' ? 'number_not_assignable' : 'not_reachable');
      expect(await balanceOf(world, user)).toBe(10n * UNIT);
      await expect.poll(() => provider.orders.get(order_id)?.state, PATIENCE).toBe('released');
    },
  );

  it('waits while the provider is away, is seen by an admin, and fails after a day', async () => {
    provider.behave({ outage: 'errors' });
    const { client, user, order_id } = await order();
    const admin = await (await makeAdmin(world, ['operations'])).signIn();
    const stuck = async (): Promise<string[]> => {
      const { body } = await admin.get<{ items: OrderBody[] }>('/v1/admin/number-orders?stuck=yes');
      return body.items.map((one) => one.order_id);
    };
    expect(await stuck()).not.toContain(order_id);
    world.advance(16 * 60_000);
    expect(await stuck()).toContain(order_id);
    expect(await orderState(client, order_id)).toBe('provisioning');
    world.advance(86_400_000);
    const again = await (await makeAdmin(world, ['operations'])).signIn();
    const { status } = await again.post(`/v1/admin/number-orders/${order_id}/retry`);
    // It may have been looked at by itself just before, and is over then.
    if (status !== 202) expect([status, await orderState(await user.signIn(), order_id)]).toEqual([409, 'failed']);
    const owner = await user.signIn();
    await expect.poll(() => orderState(owner, order_id), PATIENCE).toBe('failed');
    expect(await failureOf(owner, order_id)).toBe('too_late');
    expect(await balanceOf(world, user)).toBe(10n * UNIT);
  });

  it('is given up by an admin, and what the provider says later changes nothing', async () => {
    provider.behave({ provision_ms: 60_000 });
    const { client, user, order_id } = await order();
    const admin = await (await makeAdmin(world, ['operations'])).signIn();
    await expect.poll(() => provider.orders.has(order_id), PATIENCE).toBe(true);
    const failed = await admin.post(`/v1/admin/number-orders/${order_id}/fail`, { reason: 'a test gave it up' });
    expect(failed).toMatchObject({ status: 200, body: { state: 'failed' } });
    await expect.poll(() => provider.orders.get(order_id)?.state, PATIENCE).toBe('released');
    await sendEvent(webhook, { id: randomUUID(), type: 'order.supplied', order_id }, world.now());
    await untilIdle(world);
    expect(await orderState(client, order_id)).toBe('failed');
    expect(await balanceOf(world, user)).toBe(10n * UNIT);
    const again = await admin.post(`/v1/admin/number-orders/${order_id}/fail`, { reason: 'once more' });
    expect(again).toMatchObject({ status: 409, ...problem('too_late') });
  });
});

describe('a message of the provider', () => {
  it('that is forged, old or no event is not taken', async () => {
    const event = { id: randomUUID(), type: 'order.supplied' as const, order_id: randomUUID() };
    const forged = { ...webhook, secret: randomBytes(20).toString('hex') };
    expect(await sendEvent(forged, event, world.now())).toBe('refused');
    expect(await sendEvent(webhook, event, new Date(world.now().getTime() - 600_000))).toBe('refused');
    expect(await sendEvent(webhook, { ...event, order_id: 'none' }, world.now())).toBe('refused');
    expect(await sendEvent(webhook, event, world.now())).toBe('taken');
  });
});

describe('what a provider is told of the holder', () => {
  it('is what the rule asks for and no more, on record, and forgotten when the number is given back', async () => {
    const admin = await (await makeAdmin(world, ['operations'])).signIn();
    const nothing = await order();
    await expect.poll(() => provider.orders.get(nothing.order_id)?.fields, PATIENCE).toEqual({});
    const rule = { country: 'DE', number_type: 'geographic', fields: ['party', 'holder_name'] };
    const set = await admin.ask('PUT', '/v1/admin/number-providers/partner/rules', { body: rule });
    expect(set.status).toBe(200);
    const { client, order_id, number } = await order();
    await expect.poll(() => orderState(client, order_id), PATIENCE).toBe('active');
    expect(provider.orders.get(order_id)?.fields).toEqual({ holder_name: 'Ada Example', party: 'person' });
    const submitted = async (): Promise<unknown> => {
      const { rows } = await world.pool.query(
        'select fields, deletion_asked_at is not null as forgotten from provider_submission where order_id = $1',
        [order_id],
      );
      return rows[0];
    };
    expect(await submitted()).toEqual({ fields: ['holder_name', 'party'], forgotten: false });
    expect(await client.post(`/v1/numbers/${number}/cancellation`, { when: 'now' })).toMatchObject({ status: 201 });
    await expect.poll(submitted, PATIENCE).toEqual({ fields: ['holder_name', 'party'], forgotten: true });
    expect(provider.orders.get(order_id)).toMatchObject({ state: 'released', fields: {} });
  });

  it('is the name of the business that holds it, and of who never registered what the account is called', async () => {
    const fieldsOf = async (wishes: OrderWishes): Promise<unknown> => {
      const { client, order_id } = await order(wishes);
      await expect.poll(() => orderState(client, order_id), PATIENCE).toBe('active');
      return provider.orders.get(order_id)?.fields;
    };
    const firm = { party: 'business', name: 'Kontor Süd GmbH' } as const;
    expect(await fieldsOf({ holder: firm })).toEqual({ holder_name: 'Kontor Süd GmbH', party: 'business' });
    // As npm start seeds them.
    const seeded = { make: makeUser, holder: { name: 'Demo Example' } };
    expect(await fieldsOf(seeded)).toEqual({ holder_name: 'Demo Example', party: 'person' });
  });

  it('is nothing while the provider is switched off, as nothing of it is sold', async () => {
    const admin = await (await makeAdmin(world, ['operations'])).signIn();
    const listed = await admin.get<{ items: { code: string; version: number }[] }>('/v1/admin/number-providers');
    const version = listed.body.items.find(({ code }) => code === 'partner')?.version ?? 0;
    const path = '/v1/admin/number-providers/partner';
    expect(await admin.ask('PUT', path, { body: { enabled: false }, version })).toMatchObject({ status: 200 });
    expect(await order()).toMatchObject({ status: 409 });
    const stale = await admin.ask('PUT', path, { body: { enabled: true }, version });
    expect(stale).toMatchObject({ status: 412 });
    expect(await admin.ask('PUT', path, { body: { enabled: true }, version: version + 1 })).toMatchObject({
      status: 200,
    });
    expect(await order()).toMatchObject({ status: 201 });
  });
});

describe('an order that needs documents', () => {
  it('is refused with what is missing, or waits for it and goes on when it is there', async () => {
    const refused = await order({ country: 'GB' });
    expect(refused.status).toBe(409);
    const again = await refused.client.post('/v1/number-orders', { number: refused.number });
    expect(again.body).toMatchObject({ ...problem('kyc_required').body, missing: ['passport'] });
    const { client, user, order_id, status } = await order({ country: 'GB', wait_for_kyc: true });
    expect(status).toBe(201);
    expect(await orderState(client, order_id)).toBe('pending_kyc');
    expect(await balanceOf(world, user)).toBe(10n * UNIT);
    await carryOut(world, 'resume_number_orders', { account_id: user.account_id });
    expect(await orderState(client, order_id)).toBe('pending_kyc');
    const given_up = await order({ country: 'GB', wait_for_kyc: true });
    const cancel = `/v1/number-orders/${given_up.order_id}/cancel`;
    expect(await given_up.client.post(cancel)).toMatchObject({ status: 200, body: { state: 'cancelled' } });
    // As if it had been approved: nothing is asked for any more.
    await needDocumentsIn(world.pool, []);
    await carryOut(world, 'look_at_number_orders');
    await expect.poll(() => orderState(client, order_id), PATIENCE).toBe('active');
    expect(await orderState(given_up.client, given_up.order_id)).toBe('cancelled');
    expect(await balanceOf(world, user)).toBe(10n * UNIT - 4_760_000n);
  });

  it('leaves the books right', async () => {
    expect(await brokenInvariants(world.pool)).toEqual([]);
  });
});
