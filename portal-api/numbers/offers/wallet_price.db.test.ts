import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { brokenInvariants } from '../../../domain/ledger/invariants.ts';
import { makeUser } from '../../testing/people.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { balanceOf, carryOut, orderState, PATIENCE, problem, UNIT } from '../testing/buying.ts';
import type { OrderBody } from '../testing/buying.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { putInStock } from '../testing/stock.ts';

const DAY_MS = 86_400_000;

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
  await needDocumentsIn(world.pool, []);
});

afterAll(async () => {
  expect(await brokenInvariants(world.pool)).toEqual([]);
  await world.end();
});

const day = (): string => world.now().toISOString().slice(0, 10);

const fix = (currency: string, numerator: number): Promise<unknown> =>
  world.pool.query('insert into fx_rate values ($1, $2, $3, $4, $5)', [currency, 'EUR', day(), numerator, 1_000_000]);

describe('a number that is priced in another currency than the wallet’s', () => {
  it('is not sold where the newest rate is older than a long weekend, and says why', async () => {
    await putInStock(world.pool, ['+12025550001'], { country: 'US', currency: 'USD' });
    await world.pool.query('insert into fx_rate values ($1, $2, $3::date - 6, $4, $5)', ['USD', 'EUR', day(), 9, 10]);
    const user = await makeUser(world, { balance_micros: 10n * UNIT });
    const client = await user.signIn();
    const offer = await client.get('/v1/number-offers/+12025550001');
    expect(offer).toMatchObject({ body: { currency: 'USD', in_wallet: null, no_rate: true } });
    const refused = await client.post<{ detail: string }>('/v1/number-orders', { number: '+12025550001' });
    expect(refused).toMatchObject(problem('not_available'));
    expect(refused.body.detail).toContain('no rate of exchange');
    expect(await balanceOf(world, user)).toBe(10n * UNIT);
    const visitor = world.client();
    expect(await visitor.get('/v1/number-offers/+12025550001')).toMatchObject({
      body: { in_wallet: null, no_rate: false },
    });
    await world.pool.query('insert into fx_rate values ($1, $2, $3::date - 5, $4, $5)', ['USD', 'EUR', day(), 8, 10]);
    expect(await client.get('/v1/number-offers/+12025550001')).toMatchObject({
      body: { in_wallet: { converted: { fx_numerator: '8' } }, no_rate: false },
    });
  });

  it('costs what it said before, and its renewal explains by which rate of which day', async () => {
    await fix('USD', 921_234);
    const [number, bought_on] = ['+12025550002', day()];
    const prices = { setup_micros: 1_000_001n, monthly_micros: 3_000_001n };
    await putInStock(world.pool, [number], { country: 'US', currency: 'USD', ...prices });
    const user = await makeUser(world, { balance_micros: 20n * UNIT });
    const client = await user.signIn();
    const converted = {
      ...{ list_currency: 'USD', list_setup_micros: '1000001', list_monthly_micros: '3000001' },
      ...{ fx_numerator: '921234', fx_denominator: '1000000', fx_on_date: bought_on },
    };
    // 921,234.921… and 2,763,702.921…, each rounded up once.
    const in_wallet = { currency: 'EUR', setup_micros: '921235', monthly_micros: '2763703', converted };
    expect(await client.get(`/v1/number-offers/${number}`)).toMatchObject({ body: { in_wallet, no_rate: false } });
    const found = await client.get<{ items: object[] }>('/v1/number-offers?country=US&digits=12025550002');
    expect(found.body.items).toMatchObject([{ in_wallet }]);
    const placed = await client.post<OrderBody>('/v1/number-orders', { number });
    expect(placed).toMatchObject({ status: 201, body: in_wallet });
    await expect.poll(() => orderState(client, placed.body.order_id), PATIENCE).toBe('active');
    expect(await balanceOf(world, user)).toBe(20n * UNIT - 921_235n - 2_763_703n);
    world.advance(31.5 * DAY_MS);
    // Another rate by then, which what was agreed knows nothing of.
    await fix('USD', 500_000);
    await carryOut(world, 'look_at_numbers');
    expect(await balanceOf(world, user)).toBe(20n * UNIT - 921_235n - 2n * 2_763_703n);
    const { rows } = await world.pool.query<{ content: object }>(
      `select content from ledger_tx where kind = 'renewal' and content ->> 'number' = $1`,
      [number],
    );
    expect(rows[0]?.content).toMatchObject({
      ...{ list_currency: 'USD', list_monthly_micros: '3000001', fx_numerator: '921234' },
      ...{ fx_denominator: '1000000', fx_on_date: bought_on },
    });
    const paid = await world.pool.query<{ content: object }>(`select content from ledger_tx where ref = $1`, [
      placed.body.order_id,
    ]);
    expect(paid.rows[0]?.content).toMatchObject(converted);
  });

  it('goes to a new holder at its price in his currency, by a rate of that day', async () => {
    await fix('GBP', 1_200_000);
    const number = '+12025550003';
    await putInStock(world.pool, [number], { country: 'US', currency: 'EUR', monthly_micros: 3_000_001n });
    const user = await makeUser(world, { balance_micros: 20n * UNIT });
    const client = await user.signIn();
    const placed = await client.post<OrderBody>('/v1/number-orders', { number });
    await expect.poll(() => orderState(client, placed.body.order_id), PATIENCE).toBe('active');
    const next = await makeUser(world, { currency: 'GBP' });
    const { body } = await client.post<{ code: string }>(`/v1/numbers/${number}/transfer`);
    const theirs = await next.signIn();
    expect(await theirs.post('/v1/number-transfers/accept', { code: body.code, consent: true })).toMatchObject({
      status: 201,
    });
    // 3,000,001 / 1.2 = 2,500,000.83…
    expect(await theirs.get(`/v1/numbers/${number}`)).toMatchObject({
      body: { currency: 'GBP', monthly_micros: '2500001' },
    });
  });
});
