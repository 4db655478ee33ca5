import type { Micros } from '../../../domain/money/micros.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { giveBack } from '../../../domain/ledger/give_back.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { lockNumber } from '../lock_number.ts';
import { endHolding } from './end_holding.ts';
import { lastPeriod, ownHolding } from './holding_rows.ts';
import type { ChargedPeriod, Holding } from './holding_rows.ts';
import { unusedPart } from './period.ts';

export interface CancellationPreview {
  effective_at: Date;
  currency: string;
  refund_net_micros: Micros;
  refund_tax_micros: Micros;
  /** Of the month that was paid last. */
  days_unused: number;
  days_total: number;
}

/**
 * What a cancellation comes to. At once: the whole days of the paid month that are left, by the day, of what was paid for it; the setup
 * is not given back. At the end of the period: nothing, as all of it is used. A month that somebody else paid for gives nothing back.
 */
export async function previewCancellation(
  db: Queryable,
  holding: Holding,
  at_once: boolean,
  now: Date,
): Promise<CancellationPreview & { period: ChargedPeriod | null }> {
  const period = await lastPeriod(db, holding.id);
  const is_now = at_once || holding.paid_until <= now;
  const unused = period === null ? null : unusedPart(period, is_now ? now : holding.paid_until);
  return {
    period,
    effective_at: is_now ? now : holding.paid_until,
    currency: holding.currency,
    refund_net_micros: unused?.net_micros ?? 0n,
    refund_tax_micros: unused?.tax_micros ?? 0n,
    days_unused: unused?.days_unused ?? 0,
    days_total: unused?.days_total ?? 0,
  };
}

export interface Cancellation {
  id: string;
  number: string;
  at_once: boolean;
  requested_at: Date;
  effective_at: Date;
  undone_at: Date | null;
  done_at: Date | null;
  currency: string;
  refund_net_micros: Micros;
  refund_tax_micros: Micros;
}

export interface CancellationWish {
  cancellation_id: string;
  number: string;
  account_id: string;
  at_once: boolean;
  /** What the preview said is given back; it is not cancelled for less. Null: whatever it is. */
  refund_micros_seen: Micros | null;
  now: Date;
}

export type Cancelled =
  | { kind: 'cancelled'; cancellation: Cancellation }
  | { kind: 'not_found' | 'already_cancelled' | 'being_ported' }
  | { kind: 'refund_differs'; refund_micros: Micros };

/** Cancels a number. At once, its refund is paid in this transaction, and is what a preview of this moment says. */
export async function cancelNumber(tx: Transaction, wish: CancellationWish): Promise<Cancelled> {
  const { cancellation_id, number, account_id, at_once, now } = wish;
  await lockNumber(tx, number);
  const before = await selectCancellation(tx, cancellation_id);
  if (before !== null) return { kind: 'cancelled', cancellation: before };
  const holding = await ownHolding(tx, number, account_id);
  if (holding === null) return { kind: 'not_found' };
  if (await isBeingPorted(tx, holding.id)) return { kind: 'being_ported' };
  const pending = await pendingCancellation(tx, holding.id);
  // Who has cancelled to the end of the period may still end it at once.
  if (pending !== null && !at_once) return { kind: 'already_cancelled' };
  const preview = await previewCancellation(tx, holding, at_once, now);
  const refund_micros = preview.refund_net_micros + preview.refund_tax_micros;
  if (wish.refund_micros_seen !== null && wish.refund_micros_seen !== refund_micros) {
    return { kind: 'refund_differs', refund_micros };
  }
  if (pending !== null) await markUndone(tx, pending.id, now);
  await insertCancellation(tx, wish, holding.id, preview);
  if (preview.effective_at <= now) {
    if (refund_micros > 0n) await refund(tx, holding, cancellation_id, preview);
    await endHolding(tx, holding, { reason: 'cancelled', at: now });
  } else {
    await tellCustomer(tx, account_id, { type: 'number', id: number, state: 'cancelled' });
  }
  const cancellation = await selectCancellation(tx, cancellation_id);
  if (cancellation === null) throw new Error(`Cancellation ${cancellation_id} was not written.`);
  return { kind: 'cancelled', cancellation };
}

async function refund(
  tx: Transaction,
  { number, id }: Holding,
  ref: string,
  {
    period,
    refund_net_micros,
    refund_tax_micros,
    days_unused,
    days_total,
  }: Awaited<ReturnType<typeof previewCancellation>>,
): Promise<void> {
  if (period === null) throw new Error(`Holding ${id} was never paid and gives nothing back.`);
  const { charge_kind, charge_ref, period_no } = period;
  const verdict = await giveBack(tx, {
    ...{ ref, charge_kind, charge_ref, net_micros: refund_net_micros, tax_micros: refund_tax_micros },
    content: { what: 'number_cancelled', number, holding_id: id, period_no, days_unused, days_total },
  });
  if (verdict !== 'posted') throw new Error(`Cancellation ${ref} could not be refunded: ${verdict}.`);
}

/** Takes a cancellation back that has not taken effect. */
export async function undoCancellation(
  tx: Transaction,
  { number, account_id, now }: { number: string; account_id: string; now: Date },
): Promise<'undone' | 'not_found' | 'too_late'> {
  await lockNumber(tx, number);
  const holding = await ownHolding(tx, number, account_id);
  if (holding === null) return 'not_found';
  const pending = await pendingCancellation(tx, holding.id);
  if (pending === null) return 'not_found';
  if (pending.effective_at <= now) return 'too_late';
  await markUndone(tx, pending.id, now);
  await tellCustomer(tx, account_id, { type: 'number', id: number, state: holding.state });
  return 'undone';
}

type CancellationRow = Omit<Cancellation, 'refund_net_micros' | 'refund_tax_micros'> & {
  refund_net_micros: string;
  refund_tax_micros: string;
};

const cancellations = `
select c.id, h.number, c.at_once, c.requested_at, c.effective_at, c.undone_at, c.done_at, h.currency, c.refund_net_micros,
       c.refund_tax_micros
  from number_cancellation c join number_holding h on h.id = c.holding_id`;

const cancellationOf = (row: CancellationRow): Cancellation => ({
  ...row,
  refund_net_micros: BigInt(row.refund_net_micros),
  refund_tax_micros: BigInt(row.refund_tax_micros),
});

async function selectCancellation(db: Queryable, id: string): Promise<Cancellation | null> {
  const { rows } = await db.query<CancellationRow>(`${cancellations} where c.id = $1`, [id]);
  return rows[0] === undefined ? null : cancellationOf(rows[0]);
}

export async function pendingCancellation(db: Queryable, holding_id: string): Promise<Cancellation | null> {
  const { rows } = await db.query<CancellationRow>(
    `${cancellations} where c.holding_id = $1 and c.undone_at is null and c.done_at is null`,
    [holding_id],
  );
  return rows[0] === undefined ? null : cancellationOf(rows[0]);
}

/** Whether it was promised to another operator. */
export async function isBeingPorted(db: Queryable, holding_id: string): Promise<boolean> {
  const { rows } = await db.query(`select from port_out where holding_id = $1 and state = 'approved'`, [holding_id]);
  return rows.length > 0;
}

async function markUndone(tx: Transaction, id: string, now: Date): Promise<void> {
  await tx.query('update number_cancellation set undone_at = $2 where id = $1', [id, now]);
}

async function insertCancellation(
  tx: Transaction,
  { cancellation_id, at_once, now }: CancellationWish,
  holding_id: string,
  { effective_at, refund_net_micros, refund_tax_micros }: CancellationPreview,
): Promise<void> {
  await tx.query(
    `insert into number_cancellation (id, holding_id, at_once, requested_at, effective_at, refund_net_micros, refund_tax_micros)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [
      ...[cancellation_id, holding_id, at_once, now, effective_at, refund_net_micros.toString()],
      refund_tax_micros.toString(),
    ],
  );
}
