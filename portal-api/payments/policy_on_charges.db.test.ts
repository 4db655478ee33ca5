import { afterAll, beforeAll, expect, it } from 'vitest';
import { buyerOf, carryOut, UNIT } from '../numbers/testing/buying.ts';
import { needDocumentsIn } from '../numbers/testing/documents.ts';
import { putInStock } from '../numbers/testing/stock.ts';
import { makeAdmin } from '../testing/people.ts';
import { PortalWorld } from '../testing/portal_world.ts';

const NUMBER = '+4950900901';
const MONTH_AND_A_BIT_MS = 31.5 * 86_400_000;

let world: PortalWorld;

beforeAll(async () => {
  world = await PortalWorld.begin();
  await needDocumentsIn(world.pool, []);
  await putInStock(world.pool, [NUMBER]);
});

afterAll(() => world.end());

interface Invoice {
  invoice_id: string;
}

interface Lines {
  items: { kind: string; what: string; explained: { policy_version?: string } }[];
}

it('is told of each charge: a number, its next month, a pack and a correction', async () => {
  const { user, client } = await buyerOf(world, NUMBER, { balance_micros: 100n * UNIT });
  const shown = await world.client().get<{ version: string }>('/v1/payment-policy');
  const finance = await (await makeAdmin(world, ['finance'])).signIn();
  const pack = await finance.post<{ offer_id: string }>('/v1/admin/pack-offers', {
    ...{ name: 'Germany 100', prefixes: ['49'], seconds: 6_000, valid_days: 30, price_micros: '5000000' },
    ...{ currency: 'EUR', sold_from: '2026-01-01T00:00:00Z' },
  });
  expect(await client.post(`/v1/pack-offers/${pack.body.offer_id}/buy`)).toMatchObject({ status: 201 });
  const debit = { direction: 'debit', net_micros: '1000000', tax_micros: '0', reason: 'a call that was not billed' };
  expect(await finance.post(`/v1/admin/accounts/${user.account_id}/adjustments`, debit)).toMatchObject({ status: 201 });
  world.advance(MONTH_AND_A_BIT_MS);
  await carryOut(world, 'look_at_numbers');
  const { rows } = await world.pool.query<{ kind: string; policy_version: string | null }>(
    `select kind, content ->> 'policy_version' as policy_version from ledger_tx
      where content ->> 'wallet_id' = $1 and kind in ('purchase', 'renewal', 'adjustment') order by id`,
    [user.wallet_id.toString()],
  );
  const policy_version = shown.body.version;
  expect(rows).toEqual(['purchase', 'purchase', 'adjustment', 'renewal'].map((kind) => ({ kind, policy_version })));
  // And so does the bill, beside whatever else explains the price.
  const again = await user.signIn();
  const later = await (await makeAdmin(world, ['finance'])).signIn();
  expect(await later.post(`/v1/admin/accounts/${user.account_id}/invoices`)).toMatchObject({ status: 201 });
  const { body } = await again.get<{ items: Invoice[] }>('/v1/invoices');
  const lines = await Promise.all(
    body.items.map(({ invoice_id }) => again.get<Lines>(`/v1/invoices/${invoice_id}/lines`)),
  );
  const told = lines
    .flatMap((one) => one.body.items)
    .map(({ kind, what, explained }) => {
      return { kind, what, policy_version: explained.policy_version };
    });
  const each = (kind: string, what: string) => expect.objectContaining({ kind, what, policy_version }) as unknown;
  expect(told.filter(({ kind }) => kind !== 'topup')).toHaveLength(4);
  expect(told).toEqual(
    expect.arrayContaining([
      each('purchase', `Number ${NUMBER}`),
      each('purchase', 'minute pack Germany 100'),
      each('renewal', `Renewal: another month of ${NUMBER}`),
      each('adjustment', 'Correction: a call that was not billed'),
    ]),
  );
});
