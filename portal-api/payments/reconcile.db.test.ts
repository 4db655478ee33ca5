import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { inTransaction } from '../../domain/db/transaction.ts';
import { topUp } from '../../domain/ledger/top_up.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { MoneyWorld } from './testing/money_world.ts';

interface Run {
  payments_seen: number;
  findings: { kind: string; subject: string; expected: string; found: string }[];
}

let money: MoneyWorld;
let user: TestUser;
let here: PortalClient;
let finance: PortalClient;

beforeAll(async () => {
  money = await MoneyWorld.begin();
  user = await makeUser(money.world, { balance_micros: 5_000_000n });
  here = await user.signIn();
  finance = await (await makeAdmin(money.world, ['finance'])).signIn();
});

afterAll(() => money.end());

const run = async () => (await finance.post<Run>('/v1/admin/reconciliations')).body;

async function pay(number: string): Promise<string> {
  const { body: card } = await here.post<{ method_id: string }>('/v1/payment-methods', { token: money.token(number) });
  const { body } = await here.post<{ payment_id: string }>('/v1/top-ups', {
    ...{ amount_micros: '8000000', method_id: card.method_id },
  });
  return body.payment_id;
}

describe('the reconciliation', () => {
  it('finds nothing after payments, declines, refunds and disputes', async () => {
    const paid = await pay('4242424242424242');
    await pay('4000000000000002');
    await here.post('/v1/top-ups', { amount_micros: '3000000' });
    await here.post('/v1/refunds', { amount_micros: '2000000' });
    await expect.poll(() => money.provider.book.payments.get(money.paymentOf(paid))?.refunded_cents).toBe(200n);
    money.provider.dispute(money.paymentOf(await pay('5555555555554444')));
    await money.provider.webhooks.flush();
    expect(await run()).toMatchObject({ payments_seen: 4, findings: [] });
  });

  it('finds what was planted in each book', async () => {
    const [unposted, differing, unknown_to_us] = [randomUUID(), await pay('4242424242424242'), randomUUID()];
    // A payment that succeeded, and was never posted: the provider does not know it either.
    await money.world.pool.query(
      `insert into payment_attempt (id, account_id, wallet_id, currency, amount_micros, purpose, provider, state, policy_version, created_at, changed_at)
       values ($1, $2, $3, 'EUR', 4000000, 'top_up', 'local', 'succeeded', '2026-01', now() - interval '1 hour', now())`,
      [unposted, user.account_id, user.wallet_id.toString()],
    );
    const theirs = money.provider.book.payments.get(money.paymentOf(differing));
    if (theirs !== undefined) theirs.amount_cents = 801n;
    const [stranger] = money.provider.book.begin({
      ...{ reference: unknown_to_us, amount_cents: 999n, currency: 'EUR', created_at: money.world.now(), card: null },
      ...{ save_method: false, return_url: '' },
    });
    const posted_alone = randomUUID();
    await inTransaction(money.world.pool, (tx) =>
      topUp(tx, { payment_id: posted_alone, wallet_id: user.wallet_id, amount_micros: 1_000_000n, reason: 'payment' }),
    );
    const { findings } = await run();
    expect(findings.map(({ kind, subject }) => `${kind} ${subject}`).toSorted()).toEqual(
      [
        `amount_differs ${differing}`,
        `payment_unknown_here ${stranger.id}`,
        `payment_unknown_to_provider ${unposted}`,
        `top_up_missing ${unposted}`,
        `top_up_without_payment ${posted_alone}`,
      ].toSorted(),
    );
    const listed = await finance.get<{ items: Run[] }>('/v1/admin/reconciliations');
    expect(listed.body.items.map(({ findings: found }) => found.length > 0)).toEqual([true, false]);
  });

  it('finds a balance that its postings do not make', async () => {
    await inTransaction(money.world.pool, async (tx) => {
      await tx.query('set local session_replication_role = replica');
      await tx.query('update wallet set balance_micros = balance_micros + 1 where id = $1', [
        user.wallet_id.toString(),
      ]);
    });
    const { findings } = await run();
    expect(findings).toContainEqual({
      ...{ kind: 'books_broken', subject: 'balance differs from the postings', expected: 'none', found: '1 rows' },
    });
  });
});
