import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { becomeKnown } from '../../kyc/testing/kyc_steps.ts';
import { seedLegalDocuments } from '../../legal/seed_legal_documents.ts';
import { termsInForce } from '../../legal/terms_in_force.ts';
import { makeAdmin, makeUser } from '../../testing/people.ts';
import type { PortalClient } from '../../testing/portal_client.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { balanceOf, buyerOf, orderState, PATIENCE, problem, UNIT } from '../testing/buying.ts';
import type { OrderBody } from '../testing/buying.ts';
import { putInStock } from '../testing/stock.ts';
import { needDocumentsIn } from '../testing/documents.ts';

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
});

afterAll(() => world.end());

describe('an order that waits for documents', () => {
  it('goes on in the moment in which they are approved, and not before', async () => {
    const number = '+4940300001';
    await putInStock(world.pool, [number], { country: 'DE' });
    const reviewer = await (await makeAdmin(world, ['kyc'])).signIn();
    const user = await makeUser(world, { balance_micros: 10n * UNIT });
    const client = await user.signIn();
    const placed = await client.post<OrderBody>('/v1/number-orders', { number, wait_for_kyc: true });
    expect(placed).toMatchObject({ status: 201, body: { state: 'pending_kyc' } });
    await becomeKnown(client, reviewer);
    await expect.poll(() => orderState(client, placed.body.order_id), PATIENCE).toBe('active');
    expect(await balanceOf(world, user)).toBe(6n * UNIT);
  });
});

describe('terms that are not agreed to', () => {
  const agree = async (client: PortalClient): Promise<void> => {
    const document_ids = (await termsInForce(world.pool, world.now())).map(({ id }) => id);
    expect(await client.post('/v1/legal/acceptances', { document_ids })).toMatchObject({ status: 200 });
  };

  it('keep from an order, a transfer, a number of another operator and a pack, which cost nothing, until they are', async () => {
    await needDocumentsIn(world.pool, []);
    world.advance(2 * 86_400_000);
    const [theirs, wanted] = ['+4940300002', '+4940300003'];
    await putInStock(world.pool, [theirs, wanted]);
    const holder = await buyerOf(world, theirs, { balance_micros: 10n * UNIT });
    const offered = await holder.client.post<{ code: string }>(`/v1/numbers/${theirs}/transfer`);
    const finance = await (await makeAdmin(world, ['finance'])).signIn();
    const pack = await finance.post<{ offer_id: string }>('/v1/admin/pack-offers', {
      ...{ name: 'Germany 100', prefixes: ['49'], seconds: 6_000, valid_days: 30, price_micros: '1000000' },
      ...{ currency: 'EUR', sold_from: '2026-01-01T00:00:00Z' },
    });
    await seedLegalDocuments(world.pool, world.now());

    const user = await makeUser(world, { balance_micros: 10n * UNIT });
    const client = await user.signIn();
    const key = { idempotency_key: randomUUID() };
    const order = () => client.post<OrderBody>('/v1/number-orders', { number: wanted }, key);
    const accept = () => client.post('/v1/number-transfers/accept', { code: offered.body.code, consent: true });
    const buy = () => client.post(`/v1/pack-offers/${pack.body.offer_id}/buy`);
    const elsewhere = { number: '+4980200999', country: 'DE', number_type: 'geographic', from_carrier: 'Elsewhere' };
    const bring = () => client.post('/v1/port-ins', elsewhere);
    for (const ask of [order, accept, buy, bring]) expect(await ask()).toMatchObject(problem('terms_required'));
    expect(await balanceOf(world, user)).toBe(10n * UNIT);
    await agree(client);
    for (const ask of [order, accept, buy, bring]) expect(await ask()).toMatchObject({ status: 201 });
    expect(await balanceOf(world, user)).toBe(5n * UNIT);
  });
});
