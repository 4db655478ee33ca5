import type { Micros } from '../../../domain/money/micros.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { mustBeOfAccount } from '../../http/idempotency.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { lockWallet } from '../../payments/refunds.ts';
import { lockNumber } from '../lock_number.ts';
import { payRefund, refundDue } from './cancellation_refund.ts';
import type { RefundRule } from './cancellation_refund.ts';
import { endHolding } from './end_holding.ts';
import { lastPeriod, ownHolding } from './holding_rows.ts';
import type { Holding } from './holding_rows.ts';
import { isBeingPorted, isDisputed, isKept } from './kept.ts';
import { payNumbersSoon } from './pay_numbers_soon.ts';
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

export interface CancellationTerms {
  at_once: boolean;
  refund: RefundRule;
}

/**
 * What a cancellation comes to. By the policy, at once: the whole days of the paid month that are left, by the day, of what was paid for
 * it; the setup is not given back. At the end of the period: nothing, as all of it is used. A month that somebody else paid for gives
 * nothing back.
 */
export async function previewCancellation(
  db: Queryable,
  holding: Holding,
  { at_once, refund }: CancellationTerms,
  now: Date,
): Promise<CancellationPreview> {
  const period = await lastPeriod(db, holding.id);
  const is_now = at_once || holding.paid_until <= now;
  const effective_at = is_now ? now : holding.paid_until;
  const unused = period === null ? null : unusedPart(period, effective_at);
  const due = await refundDue(db, period, unused, refund);
  return {
    ...{ effective_at, currency: holding.currency },
    ...{ refund_net_micros: due.net_micros, refund_tax_micros: due.tax_micros },
    ...{ days_unused: unused?.days_unused ?? 0, days_total: unused?.days_total ?? 0 },
  };
}

export const refundOf = ({ refund_net_micros, refund_tax_micros }: Refunding): Micros =>
  refund_net_micros + refund_tax_micros;

type Refunding = Pick<CancellationPreview, 'refund_net_micros' | 'refund_tax_micros'>;

export interface Cancellation extends Refunding {
  id: string;
  account_id: string;
  number: string;
  at_once: boolean;
  requested_at: Date;
  effective_at: Date;
  undone_at: Date | null;
  done_at: Date | null;
  currency: string;
  /** Why one of us cancelled it; null where its holder did. */
  reason: string | null;
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
  | { kind: 'not_found' | 'already_cancelled' | 'cancelled_by_us' | 'being_ported' | 'disputed' }
  | { kind: 'refund_differs'; refund_micros: Micros };

/** Cancels a number. At once, its refund is paid in this transaction, and is what a preview of this moment says. */
export async function cancelNumber(tx: Transaction, wish: CancellationWish): Promise<Cancelled> {
  const { cancellation_id, number, account_id, at_once, now } = wish;
  await lockNumber(tx, number);
  const before = await selectCancellation(tx, cancellation_id);
  if (before !== null) {
    mustBeOfAccount(before.account_id, account_id);
    return { kind: 'cancelled', cancellation: before };
  }
  const holding = await ownHolding(tx, number, account_id);
  if (holding === null) return { kind: 'not_found' };
  if (await isBeingPorted(tx, holding.id)) return { kind: 'being_ported' };
  const pending = await pendingCancellation(tx, holding.id);
  // What we decided on its refund is not gone round.
  if (pending !== null && pending.reason !== null) return { kind: 'cancelled_by_us' };
  // Who has cancelled to the end of the period may still end it at once.
  if (pending !== null && !at_once) return { kind: 'already_cancelled' };
  await lockWallet(tx, holding.wallet_id);
  const preview = await previewCancellation(tx, holding, { at_once, refund: 'policy' }, now);
  // Whoever has what is another's would end it before it is given back; what ends later is kept until then.
  if (preview.effective_at <= now && (await isDisputed(tx, holding.id, now))) return { kind: 'disputed' };
  const refund_micros = refundOf(preview);
  if (wish.refund_micros_seen !== null && wish.refund_micros_seen !== refund_micros) {
    return { kind: 'refund_differs', refund_micros };
  }
  const cancellation = await enterCancellation(tx, holding, { id: cancellation_id, at_once, preview, pending }, now);
  return { kind: 'cancelled', cancellation };
}

export interface NewCancellation {
  id: string;
  at_once: boolean;
  preview: CancellationPreview;
  /** The one that it takes the place of. */
  pending: Cancellation | null;
}

/** Writes a cancellation down; one that takes effect now is carried out. The number and its wallet are locked. */
export async function enterCancellation(
  tx: Transaction,
  holding: Holding,
  { id, at_once, preview, pending }: NewCancellation,
  now: Date,
): Promise<Cancellation> {
  if (pending !== null) await markUndone(tx, pending.id, now);
  await insertCancellation(tx, { id, holding_id: holding.id, at_once, now }, preview);
  if (preview.effective_at <= now) {
    const due = { net_micros: preview.refund_net_micros, tax_micros: preview.refund_tax_micros };
    const unused = { ...due, days_unused: preview.days_unused, days_total: preview.days_total };
    await payRefund(tx, holding, { cancellation_id: id, due, unused }, now);
    await endHolding(tx, holding, { reason: 'cancelled', at: now });
  } else {
    await tellCustomer(tx, holding.account_id, { type: 'number', id: holding.number, state: 'cancelled' });
  }
  const cancellation = await selectCancellation(tx, id);
  if (cancellation === null) throw new Error(`Cancellation ${id} was not written.`);
  return cancellation;
}

/** Ends what was cancelled to this moment, wherever the number goes, and pays what was promised for it. The number is locked. */
export async function carryOutCancellation(
  tx: Transaction,
  holding: Holding,
  { id, refund_net_micros, refund_tax_micros }: Cancellation,
  { reason, now }: { reason: 'cancelled' | 'ported_out'; now: Date },
): Promise<void> {
  await lockWallet(tx, holding.wallet_id);
  const due = { net_micros: refund_net_micros, tax_micros: refund_tax_micros };
  await payRefund(tx, holding, { cancellation_id: id, due, unused: null }, now);
  await endHolding(tx, holding, { reason, at: now });
}

/** Takes a cancellation back that has not taken effect. What one of us cancelled its holder cannot. */
export async function undoCancellation(
  tx: Transaction,
  { number, account_id, now }: { number: string; account_id: string; now: Date },
): Promise<'undone' | 'not_found' | 'too_late' | 'cancelled_by_us'> {
  await lockNumber(tx, number);
  const holding = await ownHolding(tx, number, account_id);
  const pending = holding === null ? null : await pendingCancellation(tx, holding.id);
  if (holding === null || pending === null) return 'not_found';
  if (pending.reason !== null) return 'cancelled_by_us';
  if (await isPast(tx, holding.id, pending, now)) return 'too_late';
  await takeBack(tx, holding, pending, now);
  return 'undone';
}

/** Whether it is too late to take it back: what is kept for somebody is still held, though the day of its end has come. */
export async function isPast(
  db: Queryable,
  holding_id: string,
  { effective_at }: Cancellation,
  now: Date,
): Promise<boolean> {
  return effective_at <= now && !(await isKept(db, holding_id, now));
}

/** The number goes on as before, and a month that is due by now is paid for. It is locked. */
export async function takeBack(tx: Transaction, holding: Holding, pending: Cancellation, now: Date): Promise<void> {
  await markUndone(tx, pending.id, now);
  const { account_id, number, state } = holding;
  if (holding.paid_until <= now) await payNumbersSoon(tx, account_id);
  await tellCustomer(tx, account_id, { type: 'number', id: number, state });
}

type CancellationRow = Omit<Cancellation, 'refund_net_micros' | 'refund_tax_micros'> & {
  refund_net_micros: string;
  refund_tax_micros: string;
};

const cancellations = `
select c.id, h.account_id, h.number, c.at_once, c.requested_at, c.effective_at, c.undone_at, c.done_at, h.currency, c.refund_net_micros,
       c.refund_tax_micros, o.reason
  from number_cancellation c join number_holding h on h.id = c.holding_id
  left join cancellation_order o on o.id = c.id`;

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

async function markUndone(tx: Transaction, id: string, now: Date): Promise<void> {
  await tx.query('update number_cancellation set undone_at = $2 where id = $1', [id, now]);
}

async function insertCancellation(
  tx: Transaction,
  { id, holding_id, at_once, now }: { id: string; holding_id: string; at_once: boolean; now: Date },
  { effective_at, refund_net_micros, refund_tax_micros }: CancellationPreview,
): Promise<void> {
  await tx.query(
    `insert into number_cancellation (id, holding_id, at_once, requested_at, effective_at, refund_net_micros, refund_tax_micros)
     values ($1, $2, $3, $4, $5, $6, $7)`,
    [...[id, holding_id, at_once, now, effective_at], refund_net_micros.toString(), refund_tax_micros.toString()],
  );
}
