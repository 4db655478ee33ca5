import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inTransaction } from '../../domain/db/transaction.ts';
import { chargeWallet } from '../../domain/ledger/charge_wallet.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { MoneyWorld } from '../payments/testing/money_world.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';

interface Shown {
  invoice_id: string;
  line_count: number;
  net_micros: string;
  tax_micros: string;
  total_micros: string;
}

const DAY_MS = 86_400_000;

let money: MoneyWorld;

beforeAll(async () => {
  money = await MoneyWorld.begin();
});

afterAll(async () => {
  expect(await brokenInvariants(money.world.pool)).toEqual([]);
  await money.end();
});

/** Gives up as soon as the controller would. */
const charge = ({ wallet_id }: TestUser, net_micros: bigint) =>
  inTransaction(money.world.pool, async (tx) => {
    await tx.query(`set local statement_timeout = '2s'`);
    return chargeWallet(tx, {
      ...{ kind: 'purchase', ref: randomUUID(), wallet_id, net_micros, tax_micros: 0n, now: new Date() },
      ...{ content: { what: 'a thing' }, policy_version: 'of a test' },
    });
  });

const billNow = async ({ account_id }: TestUser) => {
  const admin = await (await makeAdmin(money.world, ['finance'])).signIn();
  return admin.post<Shown>(`/v1/admin/accounts/${account_id}/invoices`);
};

const invoices = async (user: TestUser) =>
  (await (await user.signIn()).get<{ items: Shown[] }>('/v1/invoices')).body.items;

/** How many wait for a lock in the middle of a statement. */
async function waiting(): Promise<number> {
  const { rows } = await money.world.pool.query<{ n: number }>(
    `select count(*)::int as n from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
  );
  return rows[0]?.n ?? 0;
}

/** Keeps everybody from taking a number until it is let go. */
async function keepNumbers(): Promise<pg.PoolClient> {
  const keeper = await money.world.pool.connect();
  await keeper.query('begin');
  await keeper.query(`select last from invoice_counter where series = 'INV' for update`);
  return keeper;
}

it('a wallet is charged while its invoice is made, and that is on the next one', async () => {
  const other = await makeUser(money.world, { balance_micros: 10_000_000n });
  expect(await charge(other, 1_000_000n)).toBe('posted');
  expect(await billNow(other)).toMatchObject({ status: 201 });
  const user = await makeUser(money.world, { balance_micros: 10_000_000n });
  expect(await charge(user, 1_234_567n)).toBe('posted');

  const keeper = await keepNumbers();
  const billing = billNow(user);
  await expect.poll(waiting, { timeout: 10_000 }).toBe(1);
  expect(await charge(user, 2_000_001n)).toBe('posted');
  await keeper.query('rollback');
  keeper.release();
  expect(await billing).toMatchObject({
    ...{ status: 201, body: { line_count: 1, net_micros: '1234567', rounding_micros: '-4567' } },
  });

  money.world.advance(63 * DAY_MS);
  await money.runTask('invoice_look');
  await expect.poll(async () => (await invoices(user)).length, { timeout: 10_000 }).toBe(2);
  expect((await invoices(user))[0]).toMatchObject({ line_count: 1, net_micros: '2000001', total_micros: '2000000' });
});

it('two that bill the same wallet at once make one invoice', async () => {
  const user = await makeUser(money.world, { balance_micros: 10_000_000n });
  expect(await charge(user, 1_500_000n)).toBe('posted');
  const keeper = await keepNumbers();
  const both = [billNow(user), billNow(user)];
  await expect.poll(waiting, { timeout: 10_000 }).toBe(2);
  await keeper.query('rollback');
  keeper.release();
  expect((await Promise.all(both)).map(({ status }) => status).toSorted()).toEqual([201, 409]);
  expect(await invoices(user)).toHaveLength(1);
});
