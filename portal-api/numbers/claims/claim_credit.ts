import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { giveBack } from '../../../domain/ledger/give_back.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { lastPeriod } from '../holdings/holding_rows.ts';
import { leftOfCharge, lesser, NOTHING } from '../holdings/left_of_charge.ts';
import type { RefundDue } from '../holdings/left_of_charge.ts';
import { daysOf, shareOf } from '../holdings/period.ts';
import { DAY_MS } from '../terms.ts';
import type { Claim } from './claim_rows.ts';

/** The month that was paid last, by which days are counted. */
export const CREDIT_DAYS_MAX = 31;

/** On how many days a number did not work, the one on which it began and this one counted; no more than a month has. */
export function faultDays({ began_at }: Pick<Claim, 'began_at'>, now: Date): number {
  const days = Math.ceil((now.getTime() - began_at.getTime()) / DAY_MS);
  return Math.min(Math.max(days, 1), CREDIT_DAYS_MAX);
}

/** What so many days come to: of what was paid for the last month, by the day, and never more than is left of it. */
export async function creditDue(db: Queryable, { holding_id }: Claim, days: number): Promise<RefundDue> {
  const period = await lastPeriod(db, holding_id);
  if (period === null || days === 0) return NOTHING;
  return lesser(shareOf(period, Math.min(days, daysOf(period))), await leftOfCharge(db, period));
}

/** Once for the claim. Its wallet is locked. */
export async function payCredit(
  tx: Transaction,
  { id, number, account_id, wallet_id, holding_id }: Claim,
  { days, due: { net_micros, tax_micros } }: { days: number; due: RefundDue },
): Promise<void> {
  if (net_micros + tax_micros === 0n) return;
  const period = await lastPeriod(tx, holding_id);
  if (period === null) throw new Error(`Nothing was paid of what the claim ${id} is about.`);
  const { charge_kind, charge_ref, period_no } = period;
  const verdict = await giveBack(tx, {
    ...{ ref: id, charge_kind, charge_ref, net_micros, tax_micros },
    content: { what: 'number_fault', number, holding_id, period_no, days },
  });
  if (verdict !== 'posted') throw new Error(`What the claim ${id} is granted could not be given back: ${verdict}.`);
  await tellCustomer(tx, account_id, { type: 'wallet', id: wallet_id.toString() });
}
