import { Outage } from '../../domain/db/batch.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { ledgerAccount, post } from '../../domain/ledger/post.ts';
import { moneyWords } from '../../domain/money/money_words.ts';
import type { PortalContext } from '../context.ts';
import { issueFailedRefundNote, issueRefundNote } from '../invoices/issue_refund_note.ts';
import { enqueue } from '../jobs/task.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { approve } from './approvals.ts';
import { cashCame } from './cash_came.ts';
import { centsOf } from './cents.ts';
import type { PayingWallet } from './debts.ts';
import { PAYMENT_POLICY } from './payment_policy.ts';
import type { PaymentProvider } from './payment_provider.ts';
import { planRefund } from './refund_plan.ts';

/**
 * A refund, whose money left the wallet when it was asked for:
 *
 *     waiting ──enough approvals──> sending ──all parts paid──> paid
 *        └──rejected──> rejected       ├──some part refused──> failed      what was not paid is back in the wallet
 *                                      └──some part came back, also later: from paid to failed
 *
 * A payment that is disputed is not paid back as well: what waits is rejected then, and what is asked for after that the provider refuses. It
 * is asked all the same, as it may have paid a part whose answer was lost.
 */
export type RefundState = 'waiting' | 'sending' | 'paid' | 'failed' | 'rejected';

export interface Refund extends PayingWallet {
  id: string;
  amount_micros: bigint;
  state: RefundState;
  approvals_needed: number;
  requested_by_kind: 'customer' | 'admin';
  requested_by: string;
  reason: string;
  policy_version: string;
  requested_at: Date;
  parts: readonly { attempt_id: string; amount_micros: bigint; state: 'waiting' | 'paid' | 'failed' }[];
}

export interface RefundWish {
  id: string;
  wallet: PayingWallet;
  /** What the preview said. */
  amount_micros: bigint;
  approvals_needed: number;
  by: { kind: 'customer' | 'admin'; id: string };
  reason: string;
}

interface RefundRow extends Omit<Refund, 'wallet_id' | 'amount_micros' | 'parts'> {
  wallet_id: string;
  amount_micros: string;
  parts: { attempt_id: string; amount_micros: string; state: 'waiting' | 'paid' | 'failed' }[];
}

export interface RefundSearch {
  id?: string;
  account_id?: string | undefined;
  state?: RefundState;
  /** When it was asked for: from when on, and before when. */
  from?: string | undefined;
  to?: string | undefined;
}

export async function readRefunds(
  db: Queryable,
  which: RefundSearch,
  before: readonly [string, string] | null,
  rows_max: number,
): Promise<Refund[]> {
  const { id = null, account_id = null, state = null, from = null, to = null } = which;
  const { rows } = await db.query<RefundRow>(
    `select r.*, (select jsonb_agg(jsonb_build_object('attempt_id', p.attempt_id, 'amount_micros', p.amount_micros::text, 'state', p.state)
                                   order by p.id) from refund_part p where p.refund_id = r.id) as parts
       from refund r
      where ($1::uuid is null or r.id = $1) and ($2::uuid is null or r.account_id = $2) and ($3::text is null or r.state = $3)
        and ($4::timestamptz is null or r.requested_at >= $4) and ($5::timestamptz is null or r.requested_at < $5)
        and ($6::timestamptz is null or (r.requested_at, r.id) < ($6, $7::uuid))
      order by r.requested_at desc, r.id desc limit $8`,
    [id, account_id, state, from, to, before?.[0] ?? null, before?.[1] ?? null, rows_max],
  );
  return rows.map(({ parts, ...row }) => ({
    ...row,
    wallet_id: BigInt(row.wallet_id),
    amount_micros: BigInt(row.amount_micros),
    parts: parts.map((part) => ({ ...part, amount_micros: BigInt(part.amount_micros) })),
  }));
}

export const lockWallet = (tx: Transaction, wallet_id: bigint): Promise<unknown> =>
  tx.query('select 1 from wallet where id = $1 for no key update', [wallet_id.toString()]);

/** Takes the money out of the wallet for it. `changed`: the preview would say something else by now. */
export async function requestRefund(
  tx: Transaction,
  provider: string,
  wish: RefundWish,
  now: Date,
): Promise<'requested' | 'there_already' | 'changed'> {
  const { id, wallet, amount_micros, approvals_needed, by, reason } = wish;
  await lockWallet(tx, wallet.wallet_id);
  const before = await tx.query('select 1 from refund where id = $1', [id]);
  if (before.rows.length > 0) return 'there_already';
  const plan = await planRefund(tx, wallet, provider, amount_micros, now);
  if (plan.total_micros !== amount_micros) return 'changed';
  await tx.query(
    `insert into refund (id, account_id, wallet_id, currency, amount_micros, state, approvals_needed, requested_by_kind, requested_by,
                         reason, policy_version, requested_at)
     values ($1, $2, $3, $4, $5, 'waiting', $6, $7, $8, $9, $10, $11)`,
    [
      ...[id, wallet.account_id, wallet.wallet_id.toString(), wallet.currency, amount_micros.toString()],
      ...[approvals_needed, by.kind, by.id, reason, PAYMENT_POLICY.version, now],
    ],
  );
  const [attempts, amounts] = [plan.parts.map((p) => p.attempt_id), plan.parts.map((p) => p.amount_micros.toString())];
  await tx.query(
    `insert into refund_part (id, refund_id, attempt_id, amount_micros)
     select gen_random_uuid(), $1, q.attempt_id, q.amount from unnest($2::uuid[], $3::bigint[]) as q(attempt_id, amount)`,
    [id, attempts, amounts],
  );
  await tx.query(
    `update payment_attempt p set refunded_micros = p.refunded_micros + q.amount
       from unnest($1::uuid[], $2::bigint[]) as q(attempt_id, amount) where p.id = q.attempt_id`,
    [attempts, amounts],
  );
  await post(tx, 'payout', id, { wallet_id: wallet.wallet_id.toString(), policy_version: PAYMENT_POLICY.version }, [
    {
      account_id: await ledgerAccount(tx, 'wallet_cash', wallet.currency, wallet.wallet_id),
      amount_micros: -amount_micros,
    },
    { account_id: await ledgerAccount(tx, 'payment_clearing', wallet.currency, null), amount_micros },
  ]);
  const approvals = by.kind === 'admin' ? await approve(tx, id, by.id, now) : 0;
  if ((approvals ?? 0) >= approvals_needed) await sendOff(tx, id);
  await tellCustomer(tx, wallet.account_id, { type: 'wallet', id: wallet.wallet_id.toString() });
  return 'requested';
}

async function sendOff(tx: Transaction, refund_id: string): Promise<void> {
  await tx.query(`update refund set state = 'sending' where id = $1`, [refund_id]);
  await sendSoon(tx, refund_id);
}

const sendSoon = (db: Queryable, refund_id: string): Promise<void> =>
  enqueue(db, { task: 'send_refund', payload: { refund_id }, key: `send_refund:${refund_id}` });

/** Whatever was tried too often to be tried again: what is on its way is looked at until it is at its end. */
export async function lookAtRefunds(db: Queryable): Promise<void> {
  const { rows } = await db.query<{ id: string }>(
    `select id from refund where state = 'sending' order by requested_at`,
  );
  for (const { id } of rows) await sendSoon(db, id);
}

/** With its wallet, both locked. */
async function lockRefund(tx: Transaction, id: string): Promise<Refund | null> {
  const [found] = await readRefunds(tx, { id }, null, 1);
  if (found === undefined) return null;
  await lockWallet(tx, found.wallet_id);
  await tx.query('select 1 from refund where id = $1 for no key update', [id]);
  const [refund] = await readRefunds(tx, { id }, null, 1);
  return refund ?? null;
}

export type ApprovalVerdict = 'approved' | 'not_found' | 'not_waiting' | 'own' | 'twice';

export async function approveRefund(
  tx: Transaction,
  id: string,
  admin_id: string,
  now: Date,
): Promise<{ verdict: ApprovalVerdict; account_id: string | null }> {
  const refund = await lockRefund(tx, id);
  const answer = (verdict: ApprovalVerdict) => ({ verdict, account_id: refund?.account_id ?? null });
  if (refund === null) return answer('not_found');
  if (refund.state !== 'waiting') return answer('not_waiting');
  if (refund.requested_by === admin_id) return answer('own');
  const approvals = await approve(tx, id, admin_id, now);
  if (approvals === null) return answer('twice');
  if (approvals >= refund.approvals_needed) await sendOff(tx, id);
  return answer('approved');
}

/** Puts the money back. Null where there is none that waits. */
export async function rejectRefund(tx: Transaction, id: string, now: Date): Promise<Refund | null> {
  const refund = await lockRefund(tx, id);
  if (refund?.state !== 'waiting') return null;
  await tx.query(`update refund set state = 'rejected' where id = $1`, [id]);
  await tx.query(`update refund_part set state = 'failed' where refund_id = $1`, [id]);
  for (const part of refund.parts) await forgetPart(tx, part);
  await putBack(tx, refund, id, refund.amount_micros, now);
  return refund;
}

/** Those of a wallet that wait for approval. */
export async function waitingRefunds(db: Queryable, wallet_id: bigint): Promise<readonly string[]> {
  const { rows } = await db.query<{ id: string }>(
    `select id from refund where wallet_id = $1 and state = 'waiting' order by requested_at, id`,
    [wallet_id.toString()],
  );
  return rows.map(({ id }) => id);
}

const forgetPart = (tx: Transaction, part: { attempt_id: string; amount_micros: bigint }): Promise<unknown> =>
  tx.query('update payment_attempt set refunded_micros = refunded_micros - $2 where id = $1', [
    part.attempt_id,
    part.amount_micros.toString(),
  ]);

async function putBack(tx: Transaction, wallet: PayingWallet, ref: string, amount: bigint, now: Date): Promise<void> {
  const { wallet_id, currency } = wallet;
  await post(tx, 'reversal', ref, { wallet_id: wallet_id.toString(), reverses: 'payout' }, [
    { account_id: await ledgerAccount(tx, 'wallet_cash', currency, wallet_id), amount_micros: amount },
    { account_id: await ledgerAccount(tx, 'payment_clearing', currency, null), amount_micros: -amount },
  ]);
  await cashCame(tx, wallet, ref, now);
}

interface WaitingPart {
  id: string;
  attempt_id: string;
  amount_micros: string;
  provider_payment: string;
}

/** Asks the provider for each part that it was not asked for, or did not answer. Throws where it does not answer, to be tried again. */
export async function sendRefund(context: PortalContext, provider: PaymentProvider, refund_id: string): Promise<void> {
  const { pool } = context;
  const [refund] = await readRefunds(pool, { id: refund_id }, null, 1);
  if (refund?.state !== 'sending') return;
  const { rows } = await pool.query<WaitingPart>(
    `select p.id, p.attempt_id, p.amount_micros, a.provider_payment
       from refund_part p join payment_attempt a on a.id = p.attempt_id
      where p.refund_id = $1 and p.state = 'waiting'`,
    [refund_id],
  );
  for (const part of rows) {
    const provider_refund = await payPart(provider, part, refund.currency);
    await inTransaction(pool, (tx) => settlePart(tx, refund_id, part.id, provider_refund, context.now()));
  }
  await inTransaction(pool, (tx) => closeRefund(context, tx, refund_id));
}

/** By what name the provider pays it; null where it will not be paid. */
async function payPart(provider: PaymentProvider, part: WaitingPart, currency: string): Promise<string | null> {
  const { id, provider_payment, amount_micros } = part;
  const amount_cents = centsOf(BigInt(amount_micros), currency);
  if (amount_cents === null) throw new Error(`The part ${id} of a refund is not of whole cents.`);
  const answer = await provider.refund({ refund_id: id, provider_payment, amount_cents });
  if (answer.kind === 'unavailable') throw new Error('The payment provider does not answer.');
  return answer.kind === 'paid' ? answer.provider_refund : null;
}

async function settlePart(
  tx: Transaction,
  refund_id: string,
  part_id: string,
  provider_refund: string | null,
  now: Date,
): Promise<void> {
  const refund = await lockRefund(tx, refund_id);
  if (refund === null) return;
  const { rows } = await tx.query<{ attempt_id: string; amount_micros: string }>(
    `update refund_part set state = $2, provider_refund = $3 where id = $1 and state = 'waiting' returning attempt_id, amount_micros`,
    [part_id, provider_refund === null ? 'failed' : 'paid', provider_refund],
  );
  const [settled] = rows;
  if (settled === undefined || provider_refund !== null) return;
  const amount_micros = BigInt(settled.amount_micros);
  await forgetPart(tx, { attempt_id: settled.attempt_id, amount_micros });
  await putBack(tx, refund, part_id, amount_micros, now);
}

async function closeRefund(context: PortalContext, tx: Transaction, refund_id: string): Promise<void> {
  const refund = await lockRefund(tx, refund_id);
  if (refund?.state !== 'sending' || refund.parts.some(({ state }) => state === 'waiting')) return;
  const state = refund.parts.every((part) => part.state === 'paid') ? 'paid' : 'failed';
  await tx.query('update refund set state = $2 where id = $1', [refund_id, state]);
  const { account_id, amount_micros, currency } = refund;
  const is_paid = state === 'paid';
  // What was paid in part is told by its credit note, as there is no more to be told.
  const number = await issueRefundNote(context, tx, refund, { is_told_otherwise: is_paid, now: context.now() });
  if (!is_paid)
    return tellFailed(
      tx,
      refund,
      refund.parts.filter((part) => part.state === 'failed'),
    );
  const facts = { amount: moneyWords(amount_micros, currency), ...(number === null ? {} : { number }) };
  await queueNotice(tx, { to: { account_id }, template: 'refund_done', facts });
}

function tellFailed(
  tx: Transaction,
  { account_id, currency }: Refund,
  parts: readonly { amount_micros: bigint }[],
): Promise<void> {
  const back = parts.reduce((sum, { amount_micros }) => sum + amount_micros, 0n);
  return queueNotice(tx, {
    to: { account_id },
    template: 'refund_failed',
    facts: { amount: moneyWords(back, currency) },
  });
}

/**
 * A part that was paid came back from the bank, some days later as well: it is in the wallet again, and where its credit note was issued
 * a debit note corrects that. Attempt and wallet are locked. Throws an Outage where the answer that names this part is not here yet.
 */
export async function takeFailedRefund(
  context: PortalContext,
  tx: Transaction,
  attempt_id: string,
  provider_refund: string,
  now: Date,
): Promise<void> {
  const { rows } = await tx.query<{ id: string; refund_id: string; amount_micros: string; state: string }>(
    `select p.id, p.refund_id, p.amount_micros, p.state from refund_part p join refund r on r.id = p.refund_id
      where p.attempt_id = $1 and (p.provider_refund = $2 or (p.state = 'waiting' and r.state = 'sending'))
      order by p.provider_refund is null limit 1`,
    [attempt_id, provider_refund],
  );
  const [part] = rows;
  if (part?.state === 'waiting') throw new Outage('It is not known yet which refund this is.');
  // One that was made by hand at the provider is found by the reconciliation.
  if (part?.state !== 'paid') return;
  const refund = await lockRefund(tx, part.refund_id);
  if (refund === null) throw new Error(`The refund ${part.refund_id} is gone.`);
  const amount_micros = BigInt(part.amount_micros);
  await tx.query(`update refund_part set state = 'failed' where id = $1`, [part.id]);
  await forgetPart(tx, { attempt_id, amount_micros });
  await putBack(tx, refund, part.id, amount_micros, now);
  if (refund.state !== 'paid' && refund.state !== 'failed') return;
  await tx.query(`update refund set state = 'failed' where id = $1`, [refund.id]);
  await issueFailedRefundNote(context, tx, refund, { part_id: part.id, attempt_id, amount_micros }, now);
  await tellFailed(tx, refund, [{ amount_micros }]);
}
