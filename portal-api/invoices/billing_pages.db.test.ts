import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTransaction } from '../../domain/db/transaction.ts';
import { chargeWallet } from '../../domain/ledger/charge_wallet.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { MoneyWorld } from '../payments/testing/money_world.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';

const DAY_MS = 86_400_000;
const PATIENCE = { timeout: 20_000 };

let money: MoneyWorld;

beforeAll(async () => {
  money = await MoneyWorld.begin();
});

afterAll(async () => {
  expect(await brokenInvariants(money.world.pool)).toEqual([]);
  await money.end();
});

/** A charge that was written down so long ago, whenever that was committed; the id of its transaction. */
async function charge({ wallet_id }: TestUser, net_micros: bigint, age = '0 seconds'): Promise<bigint> {
  const ref = randomUUID();
  const verdict = await inTransaction(money.world.pool, (tx) =>
    chargeWallet(tx, {
      ...{ kind: 'purchase', ref, wallet_id, net_micros, tax_micros: 0n, now: new Date() },
      ...{ content: { what: 'a thing' }, policy_version: 'of a test' },
    }),
  );
  expect(verdict).toBe('posted');
  return inTransaction(money.world.pool, async (tx) => {
    await tx.query('set local session_replication_role = replica');
    const { rows } = await tx.query<{ id: string }>(
      'update ledger_tx set created_at = created_at - $2::interval where ref = $1 returning id',
      [ref, age],
    );
    return BigInt(rows[0]?.id ?? 0);
  });
}

interface Billed {
  net_micros: string;
  unbilled_from_tx: string;
}

async function billed({ wallet_id }: TestUser): Promise<Billed[]> {
  const { rows } = await money.world.pool.query<Billed>(
    'select net_micros, unbilled_from_tx from invoice where wallet_id = $1 and month is not null order by month',
    [wallet_id.toString()],
  );
  return rows;
}

it('an invoice begins where the one before it left off, and what was posted late is on it', async () => {
  const user = await makeUser(money.world, { balance_micros: 100_000_000n });
  await charge(user, 1_000_000n, '40 days');
  const last_old = await charge(user, 2_000_000n, '30 days');
  const recent = await charge(user, 3_000_000n, '1 day');
  const admin = await (await makeAdmin(money.world, ['finance'])).signIn();
  expect(await admin.post(`/v1/admin/accounts/${user.account_id}/invoices`)).toMatchObject({ status: 201 });
  const [first] = await billed(user);
  expect(first).toMatchObject({ net_micros: '6000000', unbilled_from_tx: (last_old + 1n).toString() });
  expect(recent).toBeGreaterThan(last_old);

  // As if it had not been committed when the invoice was made.
  await charge(user, 4_000_000n, '20 hours');
  await charge(user, 5_000_000n);
  money.world.advance(63 * DAY_MS);
  await money.runTask('invoice_look');
  await expect
    .poll(async () => (await billed(user)).map(({ net_micros }) => net_micros), PATIENCE)
    .toEqual([...['6000000', '9000000']]);
});

it('every wallet is looked at, though they are more than one statement reads', async () => {
  const first = await makeUser(money.world, { balance_micros: 10_000_000n });
  await money.world.pool.query(
    `with made as (insert into account (id, name, state, home_country)
                   select gen_random_uuid(), 'One of many', 'active', 'DE' from generate_series(1, 1200) returning id)
     insert into wallet (account_id, currency) select id, 'EUR' from made`,
  );
  const last = await makeUser(money.world, { balance_micros: 10_000_000n });
  for (const user of [first, last]) await charge(user, 1_000_000n);
  money.world.advance(32 * DAY_MS);
  await money.runTask('invoice_look');
  for (const user of [first, last]) {
    await expect
      .poll(async () => (await billed(user)).map(({ net_micros }) => net_micros), PATIENCE)
      .toEqual(['1000000']);
  }
});
