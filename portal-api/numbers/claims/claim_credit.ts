import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { giveBack } from '../../../domain/ledger/give_back.ts';
import type { Micros } from '../../../domain/money/micros.ts';
import { operationIdOf } from '../../http/idempotency.ts';
import { cashCame } from '../../payments/cash_came.ts';
import { lesser, NOTHING } from '../holdings/left_of_charge.ts';
import type { RefundDue } from '../holdings/left_of_charge.ts';
import { shareOf } from '../holdings/period.ts';
import type { Claim } from './claim_rows.ts';
import { faultyPeriods } from './faulty_periods.ts';
import type { FaultyPeriod } from './faulty_periods.ts';

/** A fault may have begun 90 days ago, and waits for us some more. */
export const CREDIT_DAYS_MAX = 366;

export interface Granted {
  period: FaultyPeriod;
  days: number;
  due: RefundDue;
}

export const daysIn = (periods: readonly { days: number }[]): number =>
  periods.reduce((sum, { days }) => sum + days, 0);

export const microsOf = (granted: readonly Granted[]): Micros => {
  const { net_micros, tax_micros } = sumOf(granted);
  return net_micros + tax_micros;
};

export const sumOf = (granted: readonly Granted[]): RefundDue =>
  granted.reduce(
    (sum, { due }) => ({ net_micros: sum.net_micros + due.net_micros, tax_micros: sum.tax_micros + due.tax_micros }),
    NOTHING,
  );

/** What so many days come to, by the day, of the latest months first; a month of which nothing is left is passed over. */
function grant(periods: readonly FaultyPeriod[], days: number): readonly Granted[] {
  const granted: Granted[] = [];
  for (const period of periods) {
    const taken = Math.min(period.days, days - daysIn(granted));
    if (taken <= 0) break;
    const due = lesser(shareOf(period, taken), period.left);
    if (due.net_micros + due.tax_micros > 0n) granted.push({ period, days: taken, due });
  }
  return granted;
}

/** What so many days of a claim come to at this moment. */
export const grantable = async (db: Queryable, claim: Claim, days: number, now: Date): Promise<readonly Granted[]> =>
  grant(await faultyPeriods(db, claim, now), days);

/** Once for the claim; who owes us something pays it with this. Its wallet is locked. */
export async function payCredit(tx: Transaction, claim: Claim, granted: readonly Granted[], now: Date): Promise<void> {
  const { id, number, account_id, wallet_id, holding_id, currency } = claim;
  if (granted.length === 0) return;
  for (const { period, days, due } of granted) {
    const { charge_kind, charge_ref, period_no } = period;
    const verdict = await giveBack(tx, {
      ...{ ref: operationIdOf('number_fault', `${id}:${period_no}`), charge_kind, charge_ref, ...due },
      content: { what: `days without ${number}`, number, claim_id: id, holding_id, period_no, days },
    });
    if (verdict !== 'posted') throw new Error(`What the claim ${id} is granted could not be given back: ${verdict}.`);
  }
  await cashCame(tx, { account_id, wallet_id, currency }, id, now);
}
