import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { findAttempt, lockAttempt } from './attempts.ts';
import { dueRetries, takeRetry } from './dunning.ts';
import { keepMethod } from './methods.ts';
import type { PaymentProvider } from './payment_provider.ts';
import type { PaymentsContext } from './payments_context.ts';
import { lookAtRefunds, sendRefund } from './refunds.ts';
import { startPayment } from './start_payment.ts';
import { takeState } from './take_event.ts';

const AT_ONCE = 200;
const DAY_MS = 86_400_000;
const GIVEN_UP_MS = 3_600_000;
const nothing = z.object({}).loose();

/** What the portal does about payments by itself. */
export function paymentTasks(context: PaymentsContext, provider: PaymentProvider): Task[] {
  return [
    task('auto_top_up_look', nothing, () => fillWallets(context, provider), '* * * * *'),
    task('dunning_look', nothing, () => retryPayments(context, provider), '*/10 * * * *'),
    task('give_up_payments', nothing, () => giveUp(context), '*/10 * * * *'),
    task('ask_for_payments', nothing, () => askForPayments(context, provider), '*/10 * * * *'),
    task('save_card_of_payment', z.object({ attempt_id: z.uuid() }), ({ attempt_id }) =>
      saveCardOf(context, provider, attempt_id),
    ),
    task('look_at_refunds', nothing, () => lookAtRefunds(context.pool), '*/10 * * * *'),
    task('send_refund', z.object({ refund_id: z.uuid() }), ({ refund_id }) => sendRefund(context, provider, refund_id)),
  ];
}

interface LowWallet {
  account_id: string;
  wallet_id: string;
  currency: string;
  amount_micros: string;
  method_id: string;
}

/** Wallets below what their owners wish: none that is being filled, that failed to be, or that was as often as it may be in a day. */
async function lowWallets(db: Queryable, now: Date): Promise<LowWallet[]> {
  const { rows } = await db.query<LowWallet>(
    `select t.account_id, w.id as wallet_id, w.currency, t.amount_micros, t.method_id
       from auto_top_up t
            join lateral (select * from wallet where account_id = t.account_id order by id limit 1) w on true
            join payment_method m on m.id = t.method_id and m.removed_at is null
            join account a on a.id = t.account_id and a.state <> 'closed'
      where t.enabled and w.balance_micros - w.held_micros < t.threshold_micros
        and not exists (select 1 from dunning d where d.wallet_id = w.id and d.state = 'open')
        and not exists (select 1 from payment_attempt p
                         where p.wallet_id = w.id and p.purpose <> 'top_up' and p.state in ('created', 'pending'))
        and (select count(*) from payment_attempt p
              where p.account_id = t.account_id and p.created_at > $1 and p.purpose <> 'top_up') < t.per_day_max
      limit $2`,
    [new Date(now.getTime() - DAY_MS), AT_ONCE],
  );
  return rows;
}

/** One payment alone that could not be begun says nothing of the others; as many one after the other say that the provider is away. */
const AWAY_AFTER = 2;

async function fillWallets(context: PaymentsContext, provider: PaymentProvider): Promise<void> {
  const now = context.now();
  let unanswered = 0;
  for (const { amount_micros, wallet_id, ...low } of await lowWallets(context.pool, now)) {
    const wish = { ...low, wallet_id: BigInt(wallet_id), amount_micros: BigInt(amount_micros) };
    const started = await startPayment(
      ...[context, provider, { ...wish, id: randomUUID(), purpose: 'auto_top_up' as const, save_method: false }, now],
    );
    // Where the provider is away the attempt stays as it is, so that it is not known to be none; it is given up in an hour.
    unanswered = started.kind === 'unavailable' ? unanswered + 1 : 0;
    if (unanswered >= AWAY_AFTER) return;
  }
}

async function retryPayments(context: PaymentsContext, provider: PaymentProvider): Promise<void> {
  const now = context.now();
  let unanswered = 0;
  for (const { id: dunning_id, ...due } of await dueRetries(context.pool, now, AT_ONCE)) {
    const taken = await inTransaction(context.pool, (tx) => takeRetry(tx, dunning_id, now));
    if (taken === null) continue;
    const wish = { ...due, ...taken, id: randomUUID(), purpose: 'retry' as const, save_method: false };
    const started = await startPayment(context, provider, wish, now);
    unanswered = started.kind === 'unavailable' ? unanswered + 1 : 0;
    if (unanswered >= AWAY_AFTER) return;
  }
}

/** What was never begun at the provider, as far as we know. Should it have been, its events still count. */
async function giveUp({ pool, now }: PortalContext): Promise<void> {
  const at = now();
  await pool.query(
    `with given_up as (update payment_attempt set state = 'cancelled', failure = 'never_begun', changed_at = $1
                        where state = 'created' and created_at < $2 returning id)
     insert into payment_attempt_change (attempt_id, at, event, from_state, to_state)
     select id, $1, 'given_up', 'created', 'cancelled' from given_up`,
    [at, new Date(at.getTime() - GIVEN_UP_MS)],
  );
}

/** What is pending for so long may be over, and nobody heard of it; what is older than days is found by the reconciliation. */
const UNTOLD_MS = { least: 900_000, most: 2 * DAY_MS };

async function askForPayments(context: PaymentsContext, provider: PaymentProvider): Promise<void> {
  const now = context.now();
  const { rows } = await context.pool.query<{ id: string; provider_payment: string }>(
    `select id, provider_payment from payment_attempt
      where provider = $1 and state in ('created', 'pending') and provider_payment is not null and created_at between $2 and $3
      order by created_at desc limit $4`,
    [...[provider.name, new Date(now.getTime() - UNTOLD_MS.most), new Date(now.getTime() - UNTOLD_MS.least), AT_ONCE]],
  );
  for (const { id, provider_payment } of rows) {
    const read = await provider.readPayment(provider_payment);
    if (read.kind === 'unavailable') return;
    if (read.kind === 'unknown' || read.state === 'pending') continue;
    const { state, failure } = read;
    await inTransaction(context.pool, async (tx) => {
      const attempt = await lockAttempt(tx, { payment_id: id, provider: provider.name, provider_payment: null });
      if (attempt === null) throw new Error(`The payment ${id} is gone.`);
      await takeState(context, tx, attempt, { event_id: 'asked', provider_payment, state, failure, now });
    });
  }
}

async function saveCardOf(context: PortalContext, provider: PaymentProvider, attempt_id: string): Promise<void> {
  const attempt = await findAttempt(context.pool, attempt_id);
  if (attempt === null || attempt.provider_payment === null) return;
  const card = await provider.cardOfPayment(attempt.provider_payment);
  if (card !== null) await keepMethod(context.pool, provider.name, attempt.account_id, card, context.now());
}
