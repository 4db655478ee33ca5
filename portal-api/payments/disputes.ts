import { randomUUID } from 'node:crypto';
import type { Transaction } from '../../domain/db/transaction.ts';
import { ledgerAccount, post } from '../../domain/ledger/post.ts';
import type { Attempt } from './attempts.ts';
import { freeCash, liftDebtRestriction, owedBy, restrictForDebt } from './debts.ts';
import { rejectRefund, waitingRefunds } from './refunds.ts';

/**
 * A dispute, whose events come in any order as well:
 *
 *     (untold) ──open──> open ──won──> won      what was taken is given back
 *        │                 └───lost──> lost     what was taken stays taken
 *        ├──won────> won                        nothing was taken
 *        └──lost───> lost                       taken now
 *
 * What is over stays as it is.
 */
export type DisputeState = 'open' | 'won' | 'lost';

export interface ToldDispute {
  provider_dispute: string;
  state: DisputeState;
  amount_micros: bigint;
}

interface DisputeRow {
  id: string;
  state: DisputeState;
  amount_micros: string;
  debited_micros: string;
  owed_micros: string;
}

/** What a customer has to hear of it. */
export type DisputeNews = { kind: 'taken'; owed_micros: bigint } | { kind: 'decided' } | { kind: 'nothing_taken' };

/** Books what a dispute takes or gives back. Attempt and wallet are locked. Null where it changed nothing. */
export async function takeDispute(
  tx: Transaction,
  attempt: Attempt,
  told: ToldDispute,
  now: Date,
): Promise<DisputeNews | null> {
  const { rows } = await tx.query<DisputeRow>(
    `select id, state, amount_micros, debited_micros, owed_micros from payment_dispute where provider = $1 and provider_dispute = $2`,
    [attempt.provider, told.provider_dispute],
  );
  const [known] = rows;
  if (known === undefined) return openDispute(tx, attempt, told, now);
  if (known.state !== 'open' || told.state === 'open') return null;
  await tx.query('update payment_dispute set state = $2, closed_at = $3 where id = $1', [known.id, told.state, now]);
  if (told.state === 'won') await giveTakenBack(tx, attempt, known, now);
  return { kind: 'decided' };
}

async function openDispute(tx: Transaction, attempt: Attempt, told: ToldDispute, now: Date): Promise<DisputeNews> {
  const id = randomUUID();
  // What waits to be paid back would be paid twice. It is in the wallet again, and what the bank took is taken out of it.
  if (told.state !== 'won') {
    for (const refund_id of await waitingRefunds(tx, attempt.wallet_id)) await rejectRefund(tx, refund_id, now);
  }
  const taken = told.state === 'won' ? null : await take(tx, attempt, id, told.amount_micros, now);
  await tx.query(
    `insert into payment_dispute (id, attempt_id, provider, provider_dispute, amount_micros, state, debited_micros, owed_micros, opened_at, closed_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)`,
    [
      ...[id, attempt.id, attempt.provider, told.provider_dispute, told.amount_micros.toString(), told.state],
      ...[(taken?.debited ?? 0n).toString(), (taken?.owed ?? 0n).toString(), now, told.state === 'open' ? null : now],
    ],
  );
  return taken === null ? { kind: 'nothing_taken' } : { kind: 'taken', owed_micros: taken.owed };
}

/** Debits what is free; the rest is owed, and nothing is bought until it is paid. */
async function take(
  tx: Transaction,
  { wallet_id, currency, account_id, id: attempt_id }: Attempt,
  dispute_id: string,
  amount: bigint,
  now: Date,
): Promise<{ debited: bigint; owed: bigint }> {
  const free = await freeCash(tx, wallet_id, now);
  const debited = amount < free ? amount : free;
  const owed = amount - debited;
  const content = { wallet_id: wallet_id.toString(), attempt_id, debited: debited.toString(), owed: owed.toString() };
  await post(tx, 'chargeback', dispute_id, content, [
    { account_id: await ledgerAccount(tx, 'wallet_cash', currency, wallet_id), amount_micros: -debited },
    { account_id: await ledgerAccount(tx, 'receivable', currency, wallet_id), amount_micros: -owed },
    { account_id: await ledgerAccount(tx, 'payment_clearing', currency, null), amount_micros: amount },
  ]);
  if (owed > 0n) await restrictForDebt(tx, account_id, now);
  return { debited, owed };
}

/** To what is owed first, whichever dispute it is owed for. */
async function giveTakenBack(
  tx: Transaction,
  { wallet_id, currency, account_id, id: attempt_id }: Attempt,
  dispute: DisputeRow,
  now: Date,
): Promise<void> {
  const amount = BigInt(dispute.debited_micros) + BigInt(dispute.owed_micros);
  if (amount === 0n) return;
  const owed = await owedBy(tx, wallet_id);
  const to_debt = owed < amount ? owed : amount;
  await post(tx, 'reversal', dispute.id, { wallet_id: wallet_id.toString(), attempt_id, reverses: 'chargeback' }, [
    { account_id: await ledgerAccount(tx, 'wallet_cash', currency, wallet_id), amount_micros: amount - to_debt },
    { account_id: await ledgerAccount(tx, 'receivable', currency, wallet_id), amount_micros: to_debt },
    { account_id: await ledgerAccount(tx, 'payment_clearing', currency, null), amount_micros: -amount },
  ]);
  if (to_debt === owed) await liftDebtRestriction(tx, account_id, now);
  await tx.query(`select pg_notify('wallet', $1)`, [wallet_id.toString()]);
}
