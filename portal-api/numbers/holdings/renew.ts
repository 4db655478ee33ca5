import type pg from 'pg';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Transaction } from '../../../domain/db/transaction.ts';
import { chargeWallet } from '../../../domain/ledger/charge_wallet.ts';
import { withTax } from '../../../domain/rating/price.ts';
import { operationIdOf } from '../../http/idempotency.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { PAYMENT_POLICY } from '../../payments/payment_policy.ts';
import { lockNumber, setNumber } from '../lock_number.ts';
import { NOTICE_DAY_MS, NOTICE_WEEK_MS } from '../terms.ts';
import { carryOutCancellation, pendingCancellation } from './cancel_number.ts';
import type { Cancellation } from './cancel_number.ts';
import { endHolding } from './end_holding.ts';
import { dueNumbers, heldBy, insertPeriod, moveHolding, openHolding } from './holding_rows.ts';
import type { Holding } from './holding_rows.ts';
import { isBeingPorted, isDisputed, isKept } from './kept.ts';
import { graceEnd, nextHoldingState, suspensionEnd, unpaidEvent } from './holding_state.ts';
import { conversionWords } from '../offers/wallet_price.ts';
import { nextPeriod } from './period.ts';

const NUMBERS_OF_ONE_MAX = 10_000;

/** Does what is due for numbers: all of them, or those of one account. One that fails keeps no other from its turn. */
export async function renewNumbers(pool: pg.Pool, account_id: string | null, now: Date): Promise<void> {
  const numbers =
    account_id === null
      ? await dueNumbers(pool, new Date(now.getTime() + NOTICE_WEEK_MS))
      : (await heldBy(pool, account_id, null, NUMBERS_OF_ONE_MAX)).map(({ number }) => number);
  const failures: unknown[] = [];
  for (const number of numbers) {
    try {
      await inTransaction(pool, (tx) => renewNumber(tx, number, now));
    } catch (error) {
      failures.push(error);
    }
  }
  if (failures.length > 0) throw new AggregateError(failures, `${failures.length} numbers could not be renewed.`);
}

/**
 * What is due for one number by now: its end, its payment, or a word about either. A number that is kept for another operator, or
 * for somebody who says that it is his, does not end here before that has come to something or to nothing: they would ask for what rests, and
 * its holder would have lost it.
 */
export async function renewNumber(tx: Transaction, number: string, now: Date): Promise<void> {
  await lockNumber(tx, number);
  for (let holding = await openHolding(tx, number); holding !== null; holding = await openHolding(tx, number)) {
    const cancellation = await pendingCancellation(tx, holding.id);
    const is_cancelled = cancellation !== null && cancellation.effective_at <= now;
    const is_paid = holding.paid_until > now;
    const { tax_ppm, is_closed } = await payerOf(tx, holding.account_id);
    if (is_cancelled || (is_closed && !is_paid)) {
      await endUnlessKept(tx, holding, cancellation, now);
      return;
    }
    if (is_paid) {
      if (cancellation === null && !is_closed) await announce(tx, holding, now);
      return;
    }
    if (!(await payPeriod(tx, holding, tax_ppm, now))) {
      await leaveUnpaid(tx, holding, now);
      return;
    }
  }
}

interface Payer {
  tax_ppm: number;
  /** Nothing is charged to an account that is closed: its numbers end with what is paid for, whether or not that was written down. */
  is_closed: boolean;
}

async function payerOf(tx: Transaction, account_id: string): Promise<Payer> {
  const { rows } = await tx.query<Payer>(`select tax_ppm, state = 'closed' as is_closed from account where id = $1`, [
    account_id,
  ]);
  if (rows[0] === undefined) throw new Error(`There is no account ${account_id}.`);
  return rows[0];
}

async function endUnlessKept(
  tx: Transaction,
  holding: Holding,
  cancellation: Cancellation | null,
  now: Date,
): Promise<void> {
  // It goes to no other operator meanwhile, so it does not work for one.
  if (await isDisputed(tx, holding.id, now)) return keepUnpaid(tx, holding, now);
  if (await isBeingPorted(tx, holding.id)) return;
  if (cancellation !== null) return carryOutCancellation(tx, holding, cancellation, { reason: 'cancelled', now });
  await endHolding(tx, holding, { reason: 'cancelled', at: now });
}

/** Nobody has a number for nothing because two cannot agree whose it is. */
async function keepUnpaid(tx: Transaction, holding: Holding, now: Date): Promise<void> {
  const state = holding.paid_until > now ? null : nextHoldingState(holding.state, 'kept');
  if (state === null) return;
  const { number, account_id } = holding;
  await moveHolding(tx, holding, state, now);
  await setNumber(tx, number, { state: 'suspended', account_id });
  await tellCustomer(tx, account_id, { type: 'number', id: number, state });
}

/** Charges the next period; false where the wallet holds too little. */
async function payPeriod(tx: Transaction, holding: Holding, tax_ppm: number, now: Date): Promise<boolean> {
  const { id, number, account_id, wallet_id, currency } = holding;
  const { starts_at, ends_at, anchor_day } = nextPeriod(holding, now);
  const { net, tax } = withTax(holding.monthly_micros, tax_ppm);
  const period_no = holding.periods + 1;
  const ref = operationIdOf('number_renewal', `${id}:${period_no}`);
  const verdict = await chargeWallet(tx, {
    ...{ kind: 'renewal', ref, wallet_id, net_micros: net, tax_micros: tax, now },
    content: {
      ...{ what: 'number_renewal', number, holding_id: id, period_no, currency },
      ...{ starts_at: starts_at.toISOString(), ends_at: ends_at.toISOString() },
      ...conversionWords(holding.converted),
    },
    policy_version: PAYMENT_POLICY.version,
  });
  if (verdict === 'no_money') return false;
  if (verdict !== 'posted') throw new Error(`Period ${period_no} of holding ${id} cannot be charged: ${verdict}.`);
  const charge = { charge_kind: 'renewal', charge_ref: ref } as const;
  await insertPeriod(tx, id, { period_no, starts_at, ends_at, net_micros: net, tax_micros: tax, ...charge });
  const state = nextHoldingState(holding.state, 'paid');
  if (state === null) throw new Error(`A number that is ${holding.state} is not paid for.`);
  if (state !== holding.state) await moveHolding(tx, holding, state, now);
  await tx.query('update number_holding set paid_until = $2, anchor_day = $3, periods = $4 where id = $1', [
    ...[id, ends_at, anchor_day, period_no],
  ]);
  if (holding.state === 'suspended') await setNumber(tx, number, { state: 'active', account_id });
  await tellCustomer(tx, account_id, { type: 'number', id: number, state });
  return true;
}

async function leaveUnpaid(tx: Transaction, holding: Holding, now: Date): Promise<void> {
  const event = unpaidEvent(holding, now);
  const state = event === null ? null : nextHoldingState(holding.state, event);
  const { number, account_id } = holding;
  if (state === null) return;
  if (state === 'ended') {
    if (!(await isKept(tx, holding.id, now))) await endHolding(tx, holding, { reason: 'unpaid', at: now });
    return;
  }
  await moveHolding(tx, holding, state, now);
  if (state === 'suspended') await setNumber(tx, number, { state: 'suspended', account_id });
  await tellCustomer(tx, account_id, { type: 'number', id: number, state });
  const [kind, template, until] =
    state === 'suspended'
      ? (['suspended', 'number_suspended', suspensionEnd(now)] as const)
      : (['grace', 'renewal_failed', graceEnd(now)] as const);
  if (await isNews(tx, holding, kind, now)) {
    await queueNotice(tx, { to: { account_id }, template, facts: { number, until: until.toISOString() } });
  }
}

async function announce(tx: Transaction, holding: Holding, now: Date): Promise<void> {
  const left_ms = holding.paid_until.getTime() - now.getTime();
  if (left_ms > NOTICE_WEEK_MS) return;
  if (!(await isNews(tx, holding, left_ms > NOTICE_DAY_MS ? 'renewal_week' : 'renewal_day', now))) return;
  const { number, account_id, paid_until } = holding;
  const facts = { number, renewed_on: paid_until.toISOString() };
  await queueNotice(tx, { to: { account_id }, template: 'renewal_due', facts });
}

/** False where the holder was told of it before. */
async function isNews(tx: Transaction, { id, periods }: Holding, kind: string, now: Date): Promise<boolean> {
  const { rowCount } = await tx.query(
    'insert into number_notice (holding_id, periods, kind, told_at) values ($1, $2, $3, $4) on conflict do nothing',
    [id, periods, kind, now],
  );
  return (rowCount ?? 0) > 0;
}

/** Numbers whose quarantine is over can be had again. */
export async function freeNumbers(pool: pg.Pool, now: Date): Promise<void> {
  await pool.query(
    `update did d set state = 'free', account_id = null
      where d.state = 'quarantined'
        and exists (select from number_holding h where h.number = d.number)
        and not exists (select from number_holding h
                         where h.number = d.number and (h.held_to is null or h.blocked_until > $1))`,
    [now],
  );
}
