import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calleeProfiles } from '../../../domain/accounts/callee_profile.ts';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { makeMember, makeUser } from '../../testing/people.ts';
import type { TestUser } from '../../testing/people.ts';
import type { PortalClient, Reply } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { putInStock } from '../testing/stock.ts';
import { needDocumentsIn } from '../testing/documents.ts';

interface OrderBody {
  order_id: string;
  state: string;
  number: string;
  tax_micros: string;
}

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
  await needDocumentsIn(world.pool, []);
});

afterAll(() => world.end());

const UNIT = 1_000_000n;

async function balanceOf({ wallet_id }: TestUser): Promise<bigint> {
  const { rows } = await world.pool.query<{ balance_micros: string }>(
    'select balance_micros from wallet where id = $1',
    [wallet_id.toString()],
  );
  return BigInt(rows[0]?.balance_micros ?? -1);
}

async function stateOf(client: PortalClient, order_id: string): Promise<string> {
  return (await client.get<OrderBody>(`/v1/number-orders/${order_id}`)).body.state;
}

describe('a number for sale', () => {
  it('is found by country, type, what it can do, digits and price, by anybody', async () => {
    await putInStock(world.pool, ['+33100200301', '+33100200302'], { country: 'FR', monthly_micros: 2n * UNIT });
    await putInStock(world.pool, ['+33700200303'], { country: 'FR', number_type: 'mobile', calls: false });
    const visitor = world.client();
    const find = async (query: string): Promise<string[]> => {
      const { status, body } = await visitor.get<{ items: { number: string }[] }>(`/v1/number-offers?${query}`);
      expect(status).toBe(200);
      return body.items.map(({ number }) => number);
    };
    expect(await find('country=FR')).toEqual(['+33100200301', '+33100200302', '+33700200303']);
    expect(await find('country=FR&number_type=mobile')).toEqual(['+33700200303']);
    expect(await find('country=FR&capability=both')).toEqual(['+33100200301', '+33100200302']);
    expect(await find('country=FR&digits=200302')).toEqual(['+33100200302']);
    expect(await find('country=FR&digits=337*3')).toEqual(['+33700200303']);
    expect(await find('country=FR&digits=3310020030%3F')).toEqual(['+33100200301', '+33100200302']);
    expect(await find('country=FR&monthly_micros_max=2000000')).toEqual(['+33100200301', '+33100200302']);
    expect(await find('country=FR&currency=USD')).toEqual([]);
  });

  it('is told page by page, each number once', async () => {
    const numbers = Array.from({ length: 7 }, (_, n) => `+3910000000${n}`);
    await putInStock(world.pool, numbers, { country: 'IT' });
    const seen: string[] = [];
    for (let cursor: string | null = ''; cursor !== null;) {
      const query: string = cursor === '' ? '' : `&cursor=${cursor}`;
      const { body } = await world
        .client()
        .get<{ items: { number: string }[]; next_cursor: string | null }>(
          `/v1/number-offers?country=IT&limit=3${query}`,
        );
      seen.push(...body.items.map(({ number }) => number));
      cursor = body.next_cursor;
    }
    expect(seen).toEqual(numbers);
  });

  it('that one keeps back is not there for others, until its time is over', async () => {
    const number = '+3160000001';
    await putInStock(world.pool, [number], { country: 'NL' });
    const [ada, eve] = [await (await makeUser(world)).signIn(), await (await makeUser(world)).signIn()];
    const kept = await ada.ask<{ expires_at: string }>('PUT', `/v1/number-offers/${number}/hold`);
    expect(kept.status).toBe(200);
    expect(await ada.ask('PUT', `/v1/number-offers/${number}/hold`)).toMatchObject({ body: kept.body });
    expect(await eve.ask('PUT', `/v1/number-offers/${number}/hold`)).toMatchObject({ status: 409 });
    expect(await eve.get(`/v1/number-offers/${number}`)).toMatchObject({ status: 404 });
    expect(await ada.get(`/v1/number-offers/${number}`)).toMatchObject({
      status: 200,
      body: { missing_documents: [] },
    });
    expect(await eve.ask('DELETE', `/v1/number-offers/${number}/hold`)).toMatchObject({ status: 404 });
    world.advance(10 * 60_000 + 1);
    // It is over, and yet nobody's: another portal's clock may say that it is not.
    expect(await ada.get('/v1/number-holds')).toMatchObject({ body: { items: [] } });
    for (const client of [ada, eve])
      expect(await client.ask('PUT', `/v1/number-offers/${number}/hold`)).toMatchObject({ status: 409 });
    world.advance(5 * 60_000);
    expect(await eve.ask('PUT', `/v1/number-offers/${number}/hold`)).toMatchObject({ status: 200 });
    expect(await eve.ask('DELETE', `/v1/number-offers/${number}/hold`)).toMatchObject({ status: 204 });
    expect(await ada.get('/v1/number-holds')).toMatchObject({ body: { items: [] } });
  });
});

describe('an order', () => {
  it('goes from the hold to a number that rings and takes texts, for its price and its tax', async () => {
    const number = '+4930100100';
    await putInStock(world.pool, [number]);
    const user = await makeUser(world, { balance_micros: 10n * UNIT, tax_ppm: 190_000 });
    const client = await user.signIn();
    await client.ask('PUT', `/v1/number-offers/${number}/hold`);
    const placed = await client.post<OrderBody>('/v1/number-orders', { number });
    expect(placed).toMatchObject({ status: 201, body: { number, state: 'provisioning', tax_micros: '760000' } });
    await expect.poll(() => stateOf(client, placed.body.order_id)).toBe('active');
    expect(await balanceOf(user)).toBe(10n * UNIT - 4_760_000n);
    expect(await calleeProfiles(world.pool, [number])).toMatchObject([
      { account_id: user.account_id, did_state: 'active' },
    ]);
    const { body } = await client.get<{ timeline: { state: string }[] }>(`/v1/number-orders/${placed.body.order_id}`);
    expect(body.timeline.map(({ state }) => state)).toEqual(['ordered', 'provisioning', 'testing', 'active']);
    expect(await client.get('/v1/number-orders')).toMatchObject({ body: { items: [{ number, state: 'active' }] } });
    expect(await world.client().get(`/v1/number-offers/${number}`)).toMatchObject({ status: 404 });
  });

  it('of one number by two hundred customers at once is one order and one charge', async () => {
    const number = '+4930100101';
    await putInStock(world.pool, [number]);
    const users = await Promise.all(Array.from({ length: 200 }, () => makeUser(world, { balance_micros: 10n * UNIT })));
    const clients = await Promise.all(users.map((user) => user.signIn()));
    // In so large a crowd some are told to come again, which they do by the same key.
    const order = async (client: PortalClient, idempotency_key = randomUUID()): Promise<Reply> => {
      const reply = await client.post('/v1/number-orders', { number }, { idempotency_key });
      if (reply.status !== 503) return reply;
      expect(Number(reply.headers.get('retry-after'))).toBeGreaterThan(0);
      return order(client, idempotency_key);
    };
    const replies = await Promise.all(clients.map((client) => order(client)));
    expect(replies.filter(({ status }) => status === 201)).toHaveLength(1);
    const refused = replies.filter(({ status }) => status !== 201);
    expect(new Set(refused.map(({ body }) => (body as { type: string }).type))).toEqual(
      new Set(['urn:letsdial:problem:not_available']),
    );
    const charged = await Promise.all(users.map((user) => balanceOf(user)));
    expect(charged.filter((balance) => balance !== 10n * UNIT)).toEqual([6n * UNIT]);
    const winner = users[replies.findIndex(({ status }) => status === 201)];
    await expect.poll(async () => (await calleeProfiles(world.pool, [number]))[0]?.account_id).toBe(winner?.account_id);
  });

  it('that is clicked twice is one order, at once and later', async () => {
    const number = '+4930100102';
    await putInStock(world.pool, [number]);
    const user = await makeUser(world, { balance_micros: 10n * UNIT });
    const client = await user.signIn();
    const wishes = { idempotency_key: randomUUID() };
    const both = await Promise.all([
      client.post<OrderBody>('/v1/number-orders', { number }, wishes),
      client.post<OrderBody>('/v1/number-orders', { number }, wishes),
    ]);
    // The second is refused while the first is under way, and answered like it after that.
    expect(both.map(({ status }) => status)).toContain(201);
    expect(both.filter(({ status }) => status !== 201 && status !== 409)).toEqual([]);
    const again = await client.post<OrderBody>('/v1/number-orders', { number }, wishes);
    expect(again.body.order_id).toBe(both.find(({ status }) => status === 201)?.body.order_id);
    expect(await balanceOf(user)).toBe(6n * UNIT);
  });

  it('is refused without money, under a restriction, in a currency without a rate and for who may not buy, and costs nothing', async () => {
    const [number, dollars] = ['+4930100103', '+4930100104'];
    await putInStock(world.pool, [number]);
    await putInStock(world.pool, [dollars], { currency: 'USD' });
    const poor = await makeUser(world, { balance_micros: 4n * UNIT - 1n });
    const type = (name: string): object => ({ body: { type: `urn:letsdial:problem:${name}` } });
    const client = await poor.signIn();
    expect(await client.post('/v1/number-orders', { number })).toMatchObject(type('no_money'));
    expect(await client.post('/v1/number-orders', { number: dollars })).toMatchObject(type('not_available'));
    const member = await (await makeMember(world, poor.account_id, 'member')).signIn();
    expect(await member.post('/v1/number-orders', { number })).toMatchObject(type('not_permitted'));
    await world.pool.query(
      `insert into restriction (id, account_id, scope, reason, starts_at) values ($1, $2, 'purchases', 'a test', now() - interval '1 hour')`,
      [randomUUID(), poor.account_id],
    );
    expect(await client.post('/v1/number-orders', { number })).toMatchObject(type('restricted'));
    expect(await balanceOf(poor)).toBe(4n * UNIT - 1n);
    expect(await world.client().get(`/v1/number-offers/${number}`)).toMatchObject({ status: 200 });
  });

  it('of somebody else is not there', async () => {
    const number = '+4930100105';
    await putInStock(world.pool, [number]);
    const user = await makeUser(world, { balance_micros: 10n * UNIT });
    const placed = await (await user.signIn()).post<OrderBody>('/v1/number-orders', { number });
    const eve = await (await makeUser(world)).signIn();
    expect(await eve.get(`/v1/number-orders/${placed.body.order_id}`)).toMatchObject({ status: 404 });
    expect(await eve.post(`/v1/number-orders/${placed.body.order_id}/cancel`)).toMatchObject({ status: 404 });
  });

  it('leaves the books right', async () => {
    expect(await brokenInvariants(world.pool)).toEqual([]);
  });
});
