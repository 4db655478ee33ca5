import { randomUUID } from 'node:crypto';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { walletOf } from '../../deploy/world/verdict.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { brokenInvariants } from '../../domain/ledger/invariants.ts';
import { buyerOf } from '../numbers/testing/buying.ts';
import { needDocumentsIn } from '../numbers/testing/documents.ts';
import { putInStock } from '../numbers/testing/stock.ts';
import { makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { noticesTo, writeJobsDown } from '../testing/told_notices.ts';
import { owedBy } from './debts.ts';
import { MoneyWorld } from './testing/money_world.ts';

let money: MoneyWorld;

beforeAll(async () => {
  money = await MoneyWorld.begin();
  await writeJobsDown(money.world.pool);
});

afterAll(async () => {
  expect(await brokenInvariants(money.world.pool)).toEqual([]);
  await money.end();
});

interface Standing {
  balance: bigint;
  owed: bigint;
  restricted: boolean;
}

async function standing({ wallet_id, account_id }: TestUser): Promise<Standing> {
  const { pool } = money.world;
  const { rows } = await pool.query<{ n: number }>(
    `select count(*)::int as n from restriction where account_id = $1 and scope = 'purchases' and (ends_at is null or ends_at > $2)`,
    [account_id, money.world.now()],
  );
  const { balance_micros: balance } = await walletOf(pool, wallet_id);
  return { balance, owed: await owedBy(pool, wallet_id), restricted: (rows[0]?.n ?? 0) > 0 };
}

const EUR = 1_000_000n;
const charge = (wallet_id: bigint, micros: bigint): Promise<string> =>
  inTransaction(money.world.pool, async (tx) => {
    const { rows } = await tx.query<{ verdict: string }>(
      `select charge_wallet('purchase', $1, $2, $3, 0, '{}', now()) as verdict`,
      [randomUUID(), wallet_id.toString(), micros.toString()],
    );
    return rows[0]?.verdict ?? '';
  });

async function pay(here: PortalClient, method_id: string, amount: bigint): Promise<string> {
  const { body, status } = await here.post<{ payment_id: string }>('/v1/top-ups', {
    ...{ amount_micros: (amount * EUR).toString(), method_id },
  });
  expect(status).toBe(201);
  return money.paymentOf(body.payment_id);
}

const saveCard = async (here: PortalClient): Promise<string> =>
  (await here.post<{ method_id: string }>('/v1/payment-methods', { token: money.token() })).body.method_id;

describe('a payment that a bank takes back', () => {
  it('debits what is free, and the rest is owed; nothing is bought until it is paid', async () => {
    const user = await makeUser(money.world);
    const here = await user.signIn();
    const method_id = await saveCard(here);
    const payment = await pay(here, method_id, 10n);
    await charge(user.wallet_id, 7n * EUR);
    money.provider.dispute(payment);
    await money.provider.webhooks.flush();
    expect(await standing(user)).toEqual({ balance: 0n, owed: 7n * EUR, restricted: true });
    const admin_says = await here.get<{ free_micros: string; owed_micros: string }>('/v1/wallet');
    expect(admin_says.body).toMatchObject({ free_micros: '0', owed_micros: '7000000' });
    expect(await here.post(`/v1/pack-offers/${await offer()}/buy`)).toMatchObject({ status: 409 });
    await pay(here, method_id, 5n);
    expect(await standing(user)).toEqual({ balance: 0n, owed: 2n * EUR, restricted: true });
    await pay(here, method_id, 5n);
    expect(await standing(user)).toEqual({ balance: 3n * EUR, owed: 0n, restricted: false });
  });

  it('comes back where the dispute is won, though that is told first', async () => {
    const user = await makeUser(money.world);
    const here = await user.signIn();
    const payment = await pay(here, await saveCard(here), 10n);
    await charge(user.wallet_id, 4n * EUR);
    const dispute = money.provider.dispute(payment);
    await money.provider.webhooks.flush();
    expect(await standing(user)).toEqual({ balance: 0n, owed: 4n * EUR, restricted: true });
    money.provider.decide(dispute.id, 'won');
    await money.provider.webhooks.flush();
    expect(await standing(user)).toEqual({ balance: 6n * EUR, owed: 0n, restricted: false });
    const second = money.provider.dispute(payment);
    money.provider.decide(second.id, 'won');
    money.provider.webhooks.telling = { times: 2, backwards: true, delay_ms: 60_000 };
    await money.provider.webhooks.flush();
    expect(await standing(user)).toEqual({ balance: 6n * EUR, owed: 0n, restricted: false });
  });

  it('keeps its customer from buying again where the restriction of an earlier debt was lifted by us', async () => {
    const user = await makeUser(money.world);
    const here = await user.signIn();
    const method_id = await saveCard(here);
    const payments = [await pay(here, method_id, 5n), await pay(here, method_id, 6n)];
    await charge(user.wallet_id, 11n * EUR);
    money.provider.dispute(payments[0] ?? '');
    await money.provider.webhooks.flush();
    expect(await standing(user)).toEqual({ balance: 0n, owed: 5n * EUR, restricted: true });
    await money.world.pool.query('update restriction set ends_at = $2 where account_id = $1', [
      ...[user.account_id, money.world.now()],
    ]);
    expect((await standing(user)).restricted).toBe(false);
    money.provider.dispute(payments[1] ?? '');
    await money.provider.webhooks.flush();
    expect(await standing(user)).toEqual({ balance: 0n, owed: 11n * EUR, restricted: true });
    await pay(here, method_id, 11n);
    expect(await standing(user)).toEqual({ balance: 0n, owed: 0n, restricted: false });
  });

  it('is paid by what comes back for a number that is cancelled', async () => {
    const number = '+49304400001';
    // No papers are asked for where this number is.
    await needDocumentsIn(money.world.pool, ['GB']);
    await putInStock(money.world.pool, [number], {});
    const { user, client } = await buyerOf(money.world, number, { balance_micros: 20n * EUR });
    const payment = await pay(client, await saveCard(client), 9n);
    await charge(user.wallet_id, (await standing(user)).balance);
    money.provider.dispute(payment);
    await money.provider.webhooks.flush();
    expect(await standing(user)).toEqual({ balance: 0n, owed: 9n * EUR, restricted: true });
    const path = `/v1/numbers/${number}/cancellation`;
    const preview = await client.get<{ refund_micros: string }>(`${path}-preview?when=now`);
    const refund_micros = BigInt(preview.body.refund_micros);
    expect(refund_micros).toBeGreaterThan(0n);
    expect(await client.post(path, { when: 'now', refund_micros: refund_micros.toString() })).toMatchObject({
      status: 201,
    });
    expect(await standing(user)).toEqual({ balance: 0n, owed: 9n * EUR - refund_micros, restricted: true });
  });

  it('is told with what is owed, and told otherwise once it is decided', async () => {
    const user = await makeUser(money.world);
    const here = await user.signIn();
    const payment = await pay(here, await saveCard(here), 10n);
    await charge(user.wallet_id, 7n * EUR);
    const { id } = money.provider.dispute(payment);
    await money.provider.webhooks.flush();
    money.provider.decide(id, 'won');
    await money.provider.webhooks.flush();
    expect(await noticesTo(money.world.pool, user.account_id, 'chargeback', 'dispute_decided')).toMatchObject([
      { template: 'chargeback', facts: { amount: '10.00 EUR', owed: '7.00 EUR', dispute: 'open' } },
      { template: 'dispute_decided', facts: { amount: '10.00 EUR', dispute: 'won' } },
    ]);
  });

  it('leaves the books right after any course of things', { timeout: 60_000 }, async () => {
    await fc.assert(fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 9 }), play), { numRuns: 12 });
  });
});

type Step =
  | { kind: 'pay'; amount: bigint }
  | { kind: 'spend'; amount: bigint }
  | { kind: 'dispute'; which: number }
  | { kind: 'decide'; which: number; state: 'won' | 'lost' };

const step: fc.Arbitrary<Step> = fc.oneof(
  fc.record({ kind: fc.constant('pay' as const), amount: fc.bigInt(1n, 20n) }),
  fc.record({ kind: fc.constant('spend' as const), amount: fc.bigInt(1n, 25n) }),
  fc.record({ kind: fc.constant('dispute' as const), which: fc.nat(2) }),
  fc.record({ kind: fc.constant('decide' as const), which: fc.nat(2), state: fc.constantFrom('won', 'lost') }),
);

/** Each course begins with a debt, as few would by chance. */
const BEGINNING: readonly Step[] = [
  { kind: 'pay', amount: 10n },
  { kind: 'spend', amount: 7n },
  { kind: 'dispute', which: 0 },
];

/** A model in a few lines: money that is there, money that is owed, and which payments are disputed. */
async function play(steps: readonly Step[]): Promise<void> {
  const user = await makeUser(money.world);
  const here = await user.signIn();
  const method_id = await saveCard(here);
  const payments: { id: string; amount: bigint; is_disputed: boolean }[] = [];
  const disputes: { id: string; amount: bigint; is_open: boolean }[] = [];
  const model = { balance: 0n, owed: 0n };
  const receive = (amount: bigint): void => {
    const to_debt = model.owed < amount ? model.owed : amount;
    model.owed -= to_debt;
    model.balance += amount - to_debt;
  };
  money.provider.webhooks.telling = { times: 2, backwards: true, delay_ms: 60_000 };
  for (const one of [...BEGINNING, ...steps]) {
    if (one.kind === 'pay') {
      payments.push({ id: await pay(here, method_id, one.amount), amount: one.amount * EUR, is_disputed: false });
      receive(one.amount * EUR);
    } else if (one.kind === 'spend') {
      const verdict = await charge(user.wallet_id, one.amount * EUR);
      expect(verdict).toBe(model.balance >= one.amount * EUR ? 'posted' : 'no_money');
      if (verdict === 'posted') model.balance -= one.amount * EUR;
    } else if (one.kind === 'dispute') {
      const payment = payments[one.which];
      if (payment === undefined || payment.is_disputed) continue;
      payment.is_disputed = true;
      disputes.push({ id: money.provider.dispute(payment.id).id, amount: payment.amount, is_open: true });
      const debited = payment.amount < model.balance ? payment.amount : model.balance;
      model.balance -= debited;
      model.owed += payment.amount - debited;
    } else {
      const dispute = disputes[one.which];
      if (dispute?.is_open !== true) continue;
      dispute.is_open = false;
      money.provider.decide(dispute.id, one.state);
      if (one.state === 'won') receive(dispute.amount);
    }
    await money.provider.webhooks.flush();
    expect(await standing(user)).toEqual({ ...model, restricted: model.owed > 0n });
  }
}

async function offer(): Promise<string> {
  const id = randomUUID();
  await money.world.pool.query(
    `insert into pack_offer (id, name, prefixes, seconds, valid_days, price_micros, currency, sold_from)
     values ($1, 'Germany 100', '{49}', 6000, 30, 1000000, 'EUR', '2026-01-01')`,
    [id],
  );
  return id;
}
