import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { giveBack } from '../../../domain/ledger/give_back.ts';
import type { Micros } from '../../../domain/money/micros.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { lastPeriod } from './holding_rows.ts';
import type { ChargedPeriod, Holding } from './holding_rows.ts';
import type { Unused } from './period.ts';

/**
 * What is given back when a number is cancelled. By the policy: the days that are left, of what was paid for the month. In full: all of
 * what was charged last, the setup with it where that charge was of both. Only one of us decides otherwise than the policy.
 */
export const REFUND_RULES = ['policy', 'none', 'full'] as const;
export type RefundRule = (typeof REFUND_RULES)[number];

export interface RefundDue {
  net_micros: Micros;
  tax_micros: Micros;
}

const NOTHING: RefundDue = { net_micros: 0n, tax_micros: 0n };

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

const least = (one: Micros, other: Micros): Micros => (one < other ? one : other);
const lesser = (one: RefundDue, other: RefundDue): RefundDue => ({
  net_micros: least(one.net_micros, other.net_micros),
  tax_micros: least(one.tax_micros, other.tax_micros),
});

/** What of a charge was not given back yet. */
async function leftOfCharge(db: Queryable, { charge_kind, charge_ref }: ChargedPeriod): Promise<RefundDue> {
  const { rows } = await db.query<{ net_micros: string; tax_micros: string }>(
    `select (c.content ->> 'net_micros')::bigint - coalesce(sum((g.content ->> 'net_micros')::bigint), 0) as net_micros,
            (c.content ->> 'tax_micros')::bigint - coalesce(sum((g.content ->> 'tax_micros')::bigint), 0) as tax_micros
       from ledger_tx c
       left join ledger_tx g on g.kind = 'credit_note' and g.content ->> 'charge_ref' = c.ref::text and g.content ->> 'charge_kind' = c.kind
      where c.kind = $1 and c.ref = $2 group by c.id`,
    [charge_kind, charge_ref],
  );
  const [row] = rows;
  return row === undefined ? NOTHING : { net_micros: BigInt(row.net_micros), tax_micros: BigInt(row.tax_micros) };
}

/** What a cancellation gives back as it takes effect, once. Its wallet is locked. */
export async function payRefund(
  tx: Transaction,
  { id, number, account_id, wallet_id }: Holding,
  { cancellation_id, due, unused }: { cancellation_id: string; due: RefundDue; unused: Unused | null },
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
  await tellCustomer(tx, account_id, { type: 'wallet', id: wallet_id.toString() });
}
