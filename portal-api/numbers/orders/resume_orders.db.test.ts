import { afterAll, beforeAll, expect, it } from 'vitest';
import { seedLegalDocuments } from '../../legal/seed_legal_documents.ts';
import { termsInForce } from '../../legal/terms_in_force.ts';
import { makeUser } from '../../testing/people.ts';
import { PortalWorld } from '../../testing/portal_world.ts';
import { balanceOf, carryOut, orderState, PATIENCE, UNIT } from '../testing/buying.ts';
import type { OrderBody } from '../testing/buying.ts';
import { needDocumentsIn } from '../testing/documents.ts';
import { putInStock } from '../testing/stock.ts';

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
});

afterAll(() => world.end());

it('an order that waits is not charged before terms are agreed to that came into force meanwhile', async () => {
  await needDocumentsIn(world.pool, ['GB']);
  const number = '+4940300101';
  await putInStock(world.pool, [number], { country: 'GB' });
  const user = await makeUser(world, { balance_micros: 10n * UNIT });
  const client = await user.signIn();
  const { body } = await client.post<OrderBody>('/v1/number-orders', { number, wait_for_kyc: true });
  expect(body.state).toBe('pending_kyc');

  await seedLegalDocuments(world.pool, world.now());
  // As if they had been approved: no documents are asked for any more.
  await needDocumentsIn(world.pool, []);
  await carryOut(world, 'look_at_number_orders');
  expect(await orderState(client, body.order_id)).toBe('pending_kyc');
  expect(await balanceOf(world, user)).toBe(10n * UNIT);

  const document_ids = (await termsInForce(world.pool, world.now())).map(({ id }) => id);
  expect(await client.post('/v1/legal/acceptances', { document_ids })).toMatchObject({ status: 200 });
  await carryOut(world, 'look_at_number_orders');
  await expect.poll(() => orderState(client, body.order_id), PATIENCE).toBe('active');
  expect(await balanceOf(world, user)).toBe(6n * UNIT);
});
