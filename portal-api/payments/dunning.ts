import { randomUUID } from 'node:crypto';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { moneyWords } from '../../domain/money/money_words.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import type { Attempt } from './attempts.ts';
import { retryAt } from './payment_policy.ts';

/**
 * A payment that the customer was not there for and that failed is tried again on the days of the policy:
 *
 *     open ──retry failed, days left──> open
 *       ├──anything paid──> recovered
 *       ├──another card───> open, with that card, and soon
 *       ├──not wanted─────> withdrawn: the card was removed, the wallet is not to fill itself, the account was closed
 *       └──no day left────> exhausted: the wallet does not fill itself any more
 */
export interface DueRetry {
  id: string;
  account_id: string;
  wallet_id: bigint;
  currency: string;
  amount_micros: bigint;
  method_id: string;
}

const GUARD_MS = 86_400_000;

/** Of a wallet that is locked. Nothing is tried again by a card that its owner has not chosen any more, or for an account that is closed. */
export async function takeFailure(tx: Transaction, attempt: Attempt, now: Date): Promise<void> {
  if (attempt.purpose === 'auto_top_up' && attempt.method_id !== null) {
    const next_at = retryAt(now, 0);
    const { rowCount } = await tx.query(
      `insert into dunning (id, account_id, wallet_id, first_attempt_id, amount_micros, method_id, next_at, opened_at)
       select $1, t.account_id, $3, $4, $5, t.method_id, $7, $8
         from auto_top_up t join account a on a.id = t.account_id and a.state <> 'closed'
        where t.account_id = $2 and t.enabled and t.method_id = $6
       on conflict do nothing`,
      [
        ...[randomUUID(), attempt.account_id, attempt.wallet_id.toString(), attempt.id],
        ...[attempt.amount_micros.toString(), attempt.method_id, next_at, now],
      ],
    );
    if ((rowCount ?? 0) > 0) await tellFailure(tx, attempt, next_at);
  }
  if (attempt.purpose === 'retry') await takeFailedRetry(tx, attempt);
}

async function takeFailedRetry(tx: Transaction, attempt: Attempt): Promise<void> {
  const { rows } = await tx.query<{ id: string; tries: number; opened_at: Date }>(
    `select id, tries, opened_at from dunning where wallet_id = $1 and state = 'open'`,
    [attempt.wallet_id.toString()],
  );
  const [open] = rows;
  if (open === undefined) return;
  const next_at = retryAt(open.opened_at, open.tries);
  await tx.query('update dunning set state = $2, next_at = $3 where id = $1', [
    ...[open.id, next_at === null ? 'exhausted' : 'open', next_at],
  ]);
  await tellFailure(tx, attempt, next_at);
  if (next_at !== null) return;
  await tx.query(
    `update auto_top_up set enabled = false, stopped_because = 'payments failed', version = version + 1 where account_id = $1`,
    [attempt.account_id],
  );
}

function tellFailure(tx: Transaction, attempt: Attempt, next_at: Date | null): Promise<void> {
  const { account_id, amount_micros, currency, failure } = attempt;
  return queueNotice(tx, {
    to: { account_id },
    template: 'payment_failed',
    facts: {
      amount: moneyWords(amount_micros, currency),
      why: failure ?? 'declined',
      next_try: next_at?.toISOString() ?? 'none; your wallet does not fill itself any more',
    },
  });
}

/** Money came: there is nothing to try again. */
export async function closeDunning(tx: Transaction, wallet_id: bigint): Promise<void> {
  await tx.query(`update dunning set state = 'recovered', next_at = null where wallet_id = $1 and state = 'open'`, [
    wallet_id.toString(),
  ]);
}

/** Its owner does not want it any more. */
export async function endDunning(tx: Transaction, wallet_id: bigint): Promise<void> {
  await tx.query(`update dunning set state = 'withdrawn', next_at = null where wallet_id = $1 and state = 'open'`, [
    wallet_id.toString(),
  ]);
}

/** What is tried again is paid by the card that its owner has chosen since, and not only on its next day. */
export async function retryByOtherCard(
  tx: Transaction,
  wallet_id: bigint,
  method_id: string,
  now: Date,
): Promise<void> {
  await tx.query(
    `update dunning set method_id = $2, next_at = least(next_at, $3) where wallet_id = $1 and state = 'open' and method_id <> $2`,
    [wallet_id.toString(), method_id, now],
  );
}

export async function dueRetries(db: Queryable, now: Date, rows_max: number): Promise<DueRetry[]> {
  const { rows } = await db.query<
    Omit<DueRetry, 'wallet_id' | 'amount_micros'> & { wallet_id: string; amount_micros: string }
  >(
    `select d.id, d.account_id, d.wallet_id, w.currency, d.amount_micros, d.method_id
       from dunning d join wallet w on w.id = d.wallet_id join payment_method m on m.id = d.method_id
            join account a on a.id = d.account_id and a.state <> 'closed'
      where d.state = 'open' and d.next_at <= $1 and m.removed_at is null order by d.next_at limit $2`,
    [now, rows_max],
  );
  return rows.map((row) => ({
    ...row,
    wallet_id: BigInt(row.wallet_id),
    amount_micros: BigInt(row.amount_micros),
  }));
}

/**
 * Takes one for this process, as its owner wishes it by now; null where another one did, or a payment is under way. Should this process end
 * in the middle, it is due again a day later.
 */
export async function takeRetry(
  tx: Transaction,
  id: string,
  now: Date,
): Promise<Pick<DueRetry, 'method_id' | 'amount_micros'> | null> {
  const { rows } = await tx.query<{ method_id: string; amount_micros: string }>(
    `update dunning d set tries = d.tries + 1, next_at = $3
       from payment_method m
      where d.id = $1 and d.state = 'open' and d.next_at <= $2 and m.id = d.method_id and m.removed_at is null
        and not exists (select 1 from payment_attempt p
                         where p.wallet_id = d.wallet_id and p.purpose <> 'top_up' and p.state in ('created', 'pending'))
     returning d.method_id, d.amount_micros`,
    [id, now, new Date(now.getTime() + GUARD_MS)],
  );
  const [row] = rows;
  return row === undefined ? null : { method_id: row.method_id, amount_micros: BigInt(row.amount_micros) };
}
