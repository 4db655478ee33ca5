import type { Transaction } from '../../domain/db/transaction.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { topUp } from '../../domain/ledger/top_up.ts';
import { moneyWords } from '../../domain/money/money_words.ts';
import { issueReceipt } from '../invoices/issue_receipt.ts';
import { enqueue } from '../jobs/task.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { hasSucceeded, next } from './attempt_state.ts';
import type { AttemptEvent } from './attempt_state.ts';
import { changeAttempt, lockAttempt } from './attempts.ts';
import type { Attempt } from './attempts.ts';
import { cashCame } from './cash_came.ts';
import { centMicros } from './cents.ts';
import { takeDispute } from './disputes.ts';
import type { DisputeNews } from './disputes.ts';
import { closeDunning, takeFailure } from './dunning.ts';
import type { PaymentProvider, PaymentState, ProviderEvent } from './payment_provider.ts';
import type { PaymentsContext } from './payments_context.ts';
import { takeFailedRefund } from './refunds.ts';

export type EventVerdict = 'taken' | 'repeated' | 'unknown_payment';

/** Takes what a provider told, once, whenever it comes. */
export function takeEvent(
  context: PaymentsContext,
  provider: PaymentProvider['name'],
  event: ProviderEvent,
  now: Date,
): Promise<EventVerdict> {
  return inTransaction(context.pool, async (tx) => {
    const attempt = await lockAttempt(tx, { ...event, provider });
    const { rowCount } = await tx.query(
      `insert into payment_event (provider, event_id, kind, attempt_id, received_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
      [provider, event.event_id, `${event.kind}.${event.state}`, attempt?.id ?? null, now],
    );
    if (rowCount === 0) return 'repeated';
    // That a payment is none of ours is found by the reconciliation.
    if (attempt === null) return 'unknown_payment';
    const told = { event_id: event.event_id, provider_payment: event.provider_payment, now };
    if (event.kind === 'payment') {
      await takeState(context, tx, attempt, { ...told, state: event.state, failure: event.failure });
      return 'taken';
    }
    // What is disputed, or was paid back, was paid, though nobody told us yet.
    const paid = await takeState(context, tx, attempt, { ...told, state: 'succeeded', failure: null });
    if (event.kind === 'refund') {
      await takeFailedRefund(context, tx, paid.id, event.provider_refund, now);
      return 'taken';
    }
    const amount_micros = event.amount_cents * centMicros(attempt.currency);
    const dispute = { provider_dispute: event.dispute, state: event.state, amount_micros };
    const news = await takeDispute(tx, paid, dispute, now);
    if (news !== null) await tellDispute(tx, paid, event.state, news, told);
    return 'taken';
  });
}

export interface ToldState {
  event_id: string;
  provider_payment: string | null;
  state: PaymentState;
  failure: string | null;
  now: Date;
}

/** What follows from the state that a payment is said to be in. Attempt and wallet are locked. */
export async function takeState(
  context: PaymentsContext,
  tx: Transaction,
  attempt: Attempt,
  { event_id, provider_payment, state, failure, now }: ToldState,
): Promise<Attempt> {
  const to = next(attempt.state, state);
  if (to === attempt.state) return attempt;
  const changed: Attempt = { ...attempt, state: to, failure: to === 'failed' ? failure : null };
  await changeAttempt(tx, attempt, { event: event_id, to, failure: changed.failure, provider_payment, at: now });
  if (!hasSucceeded(attempt.state) && hasSucceeded(to)) await bookPayment(context, tx, changed, now);
  if (to === 'failed') await takeFailure(tx, changed, now);
  await tellCustomer(tx, attempt.account_id, { type: 'payment', id: attempt.id, state: to });
  return changed;
}

async function bookPayment(context: PaymentsContext, tx: Transaction, attempt: Attempt, now: Date): Promise<void> {
  const { id, account_id, wallet_id, currency, amount_micros } = attempt;
  const verdict = await topUp(tx, { payment_id: id, wallet_id, amount_micros, reason: 'payment' });
  if (verdict !== 'posted') throw new Error(`The payment ${id} was booked before it had succeeded: ${verdict}.`);
  await cashCame(tx, { account_id, wallet_id, currency }, id, now);
  await closeDunning(tx, wallet_id);
  await context.payNumbersSoon(tx, account_id);
  if (attempt.save_method) await enqueue(tx, { task: 'save_card_of_payment', payload: { attempt_id: id } });
  const facts = { amount: moneyWords(amount_micros, currency) };
  await queueNotice(tx, { to: { account_id }, template: 'payment_received', facts });
  await issueReceipt(context, tx, attempt, now);
}

async function tellDispute(
  tx: Transaction,
  attempt: Attempt,
  state: 'open' | 'won' | 'lost',
  news: DisputeNews,
  { event_id, provider_payment, now }: { event_id: string; provider_payment: string; now: Date },
): Promise<void> {
  const event: AttemptEvent = `dispute_${state}`;
  const to = next(attempt.state, event);
  if (to !== attempt.state) {
    await changeAttempt(tx, attempt, { event: event_id, to, failure: null, provider_payment, at: now });
  }
  const { account_id, amount_micros, currency } = attempt;
  await tellCustomer(tx, account_id, { type: 'payment', id: attempt.id, state: to });
  await tellCustomer(tx, account_id, { type: 'wallet', id: attempt.wallet_id.toString() });
  if (news.kind === 'nothing_taken') return;
  const facts = { amount: moneyWords(amount_micros, currency), dispute: state };
  const owed_micros = news.kind === 'taken' ? news.owed_micros : 0n;
  await queueNotice(tx, {
    to: { account_id },
    template: news.kind === 'taken' ? 'chargeback' : 'dispute_decided',
    facts: { ...facts, ...(owed_micros > 0n ? { owed: moneyWords(owed_micros, currency) } : {}) },
  });
}
