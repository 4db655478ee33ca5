import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../../deploy/testing/database.ts';
import { freshRedis } from '../../../deploy/testing/redis.ts';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { makeUser } from '../../testing/people.ts';
import type { PortalClient } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { orderState, PATIENCE, problem, UNIT, untilIdle } from '../testing/buying.ts';
import type { OrderBody } from '../testing/buying.ts';
import { brokenRules } from '../testing/broken_rules.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { putInStock } from '../testing/stock.ts';

const MINUTE_MS = 60_000;
const APART_MS = 4 * MINUTE_MS;
const LIFE_MS = 60 * MINUTE_MS;

let database: FreshDatabase;
/** Two portals of one operator: the clock of one is minutes before Postgres', that of the other as much behind it. */
let ahead: PortalWorld;
let behind: PortalWorld;
let last = 0;

beforeAll(async () => {
  database = await freshDatabase();
  const redis = await freshRedis();
  const begin = (): Promise<PortalWorld> =>
    PortalWorld.begin({ SESSION_LIFE_MS: `${LIFE_MS}` }, { database_url: database.url, redis_url: redis.url });
  ahead = await begin();
  behind = await begin();
  ahead.advance(APART_MS / 2);
  behind.advance(-APART_MS / 2);
  await needDocumentsIn(ahead.pool, []);
});

afterAll(async () => {
  expect(await brokenInvariants(ahead.pool)).toEqual([]);
  expect(await brokenRules(ahead.pool)).toEqual([]);
  await ahead.end();
  await behind.end();
  await database.drop();
});

/** Time goes on for both alike. */
function later(ms: number): void {
  ahead.advance(ms);
  behind.advance(ms);
}

async function forSale(): Promise<string> {
  last += 1;
  const number = `+4950750${String(last).padStart(3, '0')}`;
  await putInStock(ahead.pool, [number]);
  return number;
}

const buyerAt = async (world: PortalWorld): Promise<PortalClient> =>
  (await makeUser(world, { balance_micros: 10n * UNIT })).signIn();

const hold = (client: PortalClient, number: string) =>
  client.ask<{ expires_at: string }>('PUT', `/v1/number-offers/${number}/hold`);

async function ordersOf(number: string): Promise<number> {
  const { rows } = await ahead.pool.query('select from number_order where number = $1', [number]);
  return rows.length;
}

describe('portals whose clocks are minutes apart, and off Postgres’', () => {
  it.each([
    ['behind', () => [behind, ahead] as const],
    ['ahead', () => [ahead, behind] as const],
  ])('keep a number for as long as the one that is %s has said, and sell it once', async (_, whichever) => {
    const [here, there] = whichever();
    const number = await forSale();
    const [ada, eve] = [await buyerAt(here), await buyerAt(there)];
    const held = await hold(ada, number);
    expect(Date.parse(held.body.expires_at) - here.now().getTime()).toBeGreaterThan(9 * MINUTE_MS);
    later(9 * MINUTE_MS);
    // What looks at numbers by itself lets none go that is kept.
    for (const world of [ahead, behind]) {
      await world.pool.query(`select graphile_worker.add_job('look_at_numbers', '{}')`);
      await untilIdle(world);
    }
    expect(await hold(eve, number)).toMatchObject(problem('not_available'));
    expect(await eve.get(`/v1/number-offers/${number}`)).toMatchObject({ status: 404 });
    expect(await eve.post('/v1/number-orders', { number })).toMatchObject(problem('not_available'));
    const placed = await ada.post<OrderBody>('/v1/number-orders', { number });
    expect(placed).toMatchObject({ status: 201 });
    await expect.poll(() => orderState(ada, placed.body.order_id), PATIENCE).toBe('active');
    expect(await eve.post('/v1/number-orders', { number })).toMatchObject(problem('not_available'));
    expect(await ordersOf(number)).toBe(1);
  });

  it('give a number that was held and not bought to others at last, and keep it for nobody in between', async () => {
    const number = await forSale();
    const [ada, eve] = [await buyerAt(behind), await buyerAt(ahead)];
    await hold(ada, number);
    later(10 * MINUTE_MS + 1_000);
    expect(await hold(ada, number)).toMatchObject(problem('not_available'));
    expect(await hold(eve, number)).toMatchObject(problem('not_available'));
    later(5 * MINUTE_MS);
    expect(await hold(eve, number)).toMatchObject({ status: 200 });
  });

  it('end a holding that began in the future of the one that ends it, and hand it over', async () => {
    const buy = async (): Promise<{ client: PortalClient; number: string }> => {
      const number = await forSale();
      const client = await buyerAt(behind);
      const placed = await client.post<OrderBody>('/v1/number-orders', { number });
      await expect.poll(() => orderState(client, placed.body.order_id), PATIENCE).toBe('active');
      // As the one that is ahead writes it, whichever of them carried the order out.
      await ahead.pool.query('update number_holding set held_from = $2, state_since = $2 where number = $1', [
        ...[number, ahead.now()],
      ]);
      return { client, number };
    };
    const [cancelled, given] = [await buy(), await buy()];
    const wish = { when: 'now' };
    expect(await cancelled.client.post(`/v1/numbers/${cancelled.number}/cancellation`, wish)).toMatchObject({
      status: 201,
    });
    const offered = await given.client.post<{ code: string }>(`/v1/numbers/${given.number}/transfer`);
    const next = await buyerAt(behind);
    const accept = { code: offered.body.code, consent: true };
    expect(await next.post('/v1/number-transfers/accept', accept)).toMatchObject({ status: 201 });
    expect(await next.get(`/v1/numbers/${given.number}`)).toMatchObject({ body: { state: 'active' } });
  });

  it('tell in their metrics how far they are off', async () => {
    const aheadSeconds = async ({ portal }: PortalWorld): Promise<number> => {
      const told = await (await fetch(`http://127.0.0.1:${portal.ports.observe}/metrics`)).text();
      return Number(/^portal_clock_ahead_seconds (\S+)$/mu.exec(told)?.[1]);
    };
    const [most, least] = [await aheadSeconds(ahead), await aheadSeconds(behind)];
    expect(Math.abs(most - least - APART_MS / 1000)).toBeLessThan(2);
    const off_seconds = (ahead.now().getTime() - Date.now()) / 1000;
    expect(Math.abs(most - off_seconds)).toBeLessThan(2);
  });

  it('keep a session that the other one began, and end it no earlier than it was said', async () => {
    for (const [here, there] of [
      [behind, ahead],
      [ahead, behind],
    ] as const) {
      const user = await makeUser(here);
      const { token, csrf_token } = await here.portal.sessions.begin({
        ...{ user_id: user.user_id, kind: 'customer', account_id: user.account_id, role: 'owner', admin_roles: [] },
        ...{ address: '127.0.0.1', user_agent: 'a test' },
      });
      const client = there.client().adopt(`letsdial_session=${token}`, csrf_token);
      expect(await client.get('/v1/numbers')).toMatchObject({ status: 200 });
      later(LIFE_MS - MINUTE_MS);
      expect(await client.get('/v1/numbers')).toMatchObject({ status: 200 });
      later(APART_MS + 6 * MINUTE_MS);
      expect(await client.get('/v1/numbers')).toMatchObject({ status: 401 });
    }
  });
});
