import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { giveBack } from '../../../domain/ledger/give_back.ts';
import { cashCame } from '../../payments/cash_came.ts';
import { lastPeriod } from './holding_rows.ts';
import type { ChargedPeriod, Holding } from './holding_rows.ts';
import { leftOfCharge, lesser, NOTHING } from './left_of_charge.ts';
import type { RefundDue } from './left_of_charge.ts';
import type { Unused } from './period.ts';

/**
 * What is given back when a number is cancelled. By the policy: the days that are left, of what was paid for the month. In full: all of
 * what was charged last, the setup with it where that charge was of both. Only one of us decides otherwise than the policy.
 */
export const REFUND_RULES = ['policy', 'none', 'full'] as const;
export type RefundRule = (typeof REFUND_RULES)[number];

/** Never more than is left of what was paid: a charge may have been credited by itself before. Null: its holder has paid for no period. */
export async function refundDue(
  db: Queryable,
  period: ChargedPeriod | null,
  unused: Unused | null,
  rule: RefundRule,
): Promise<RefundDue> {
  if (period === null || unused === null || rule === 'none') return NOTHING;
  const left = await leftOfCharge(db, period);
  return rule === 'full' ? left : lesser(left, unused);
}

/** What a cancellation gives back as it takes effect, once; who owes us something pays it with this. Its wallet is locked. */
export async function payRefund(
  tx: Transaction,
  { id, number, account_id, wallet_id, currency }: Holding,
  { cancellation_id, due, unused }: { cancellation_id: string; due: RefundDue; unused: Unused | null },
  now: Date,
): Promise<void> {
  const period = await lastPeriod(tx, id);
  if (period === null) return;
  const { charge_kind, charge_ref, period_no } = period;
  // Some of what was promised may have been credited since.
  const { net_micros, tax_micros } = lesser(due, await leftOfCharge(tx, period));
  if (net_micros + tax_micros === 0n) return;
  const days = unused === null ? {} : { days_unused: unused.days_unused, days_total: unused.days_total };
  const verdict = await giveBack(tx, {
    ...{ ref: cancellation_id, charge_kind, charge_ref, net_micros, tax_micros },
    content: { what: 'number_cancelled', number, holding_id: id, period_no, ...days },
  });
  if (verdict !== 'posted') throw new Error(`Cancellation ${cancellation_id} could not be refunded: ${verdict}.`);
  await cashCame(tx, { account_id, wallet_id, currency }, cancellation_id, now);
}
