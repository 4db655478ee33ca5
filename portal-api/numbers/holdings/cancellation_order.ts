import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import type { Micros } from '../../../domain/money/micros.ts';
import { moneyWords } from '../../../domain/money/money_words.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { approve } from '../../payments/approvals.ts';
import { lockWallet } from '../../payments/refunds.ts';
import type { ApprovalVerdict } from '../../payments/refunds.ts';
import { lockNumber } from '../lock_number.ts';
import {
  enterCancellation,
  isPast,
  pendingCancellation,
  previewCancellation,
  refundOf,
  takeBack,
} from './cancel_number.ts';
import type { Cancellation, CancellationPreview, CancellationTerms } from './cancel_number.ts';
import { openHolding } from './holding_rows.ts';
import type { Holding } from './holding_rows.ts';
import { isBeingPorted, isDisputed } from './kept.ts';

/**
 * A customer's number that one of us cancels:
 *
 *     waiting ──enough approvals──> done                  a cancellation of the same id, now or at the period's end
 *        ├──rejected──> rejected
 *        └──its holder has it no longer──> lapsed
 *
 * One admin may do so up to the limit of what is given back, and whoever asks counts as one. While it waits nothing has happened.
 */
export const CANCELLATION_ORDER_STATES = ['waiting', 'done', 'rejected', 'lapsed'] as const;
export type CancellationOrderState = (typeof CANCELLATION_ORDER_STATES)[number];

export interface CancellationOrder extends CancellationTerms {
  id: string;
  holding_id: string;
  number: string;
  account_id: string;
  currency: string;
  /** With tax; never more than this is given back. */
  refund_micros: Micros;
  reason: string;
  state: CancellationOrderState;
  approvals_needed: number;
  requested_by: string;
  requested_at: Date;
  decided_at: Date | null;
}

export interface CancellationOrderWish extends CancellationTerms {
  id: string;
  number: string;
  reason: string;
  /** What the preview said is given back. */
  refund_micros_seen: Micros;
  /** Above this it takes two of us. */
  alone_micros_max: Micros;
  admin_id: string;
  now: Date;
}

/** Why it is not cancelled as things are. */
export type NotCancelled =
  | { kind: 'not_found' | 'being_ported' | 'disputed' | 'already_cancelled' | 'waits_already' }
  | { kind: 'refund_differs'; refund_micros: Micros };

export type CancellationOrdered = { kind: 'ordered'; order: CancellationOrder; is_new: boolean } | NotCancelled;

/** Carried out at once where whoever asks may do so alone. */
export async function orderCancellation(tx: Transaction, wish: CancellationOrderWish): Promise<CancellationOrdered> {
  const { id, number, now } = wish;
  await lockNumber(tx, number);
  const before = await selectCancellationOrder(tx, id);
  if (before !== null) return { kind: 'ordered', order: before, is_new: false };
  const holding = await openHolding(tx, number);
  if (holding === null) return { kind: 'not_found' };
  if (await waitsAlready(tx, holding)) return { kind: 'waits_already' };
  const judged = await judge(tx, holding, wish, now);
  if ('kind' in judged) return judged;
  const refund_micros = refundOf(judged.preview);
  if (refund_micros !== wish.refund_micros_seen) return { kind: 'refund_differs', refund_micros };
  const approvals_needed = refund_micros > wish.alone_micros_max ? 2 : 1;
  await insertOrder(tx, holding, { ...wish, refund_micros, approvals_needed });
  const approvals = await approve(tx, id, wish.admin_id, now);
  if ((approvals ?? 0) >= approvals_needed) await carryOut(tx, holding, { ...wish, ...judged }, now);
  const order = await selectCancellationOrder(tx, id);
  if (order === null) throw new Error(`The order ${id} to cancel ${number} was not written.`);
  return { kind: 'ordered', order, is_new: true };
}

export type CancellationApproved =
  | { kind: Exclude<ApprovalVerdict, 'approved'> }
  | { kind: 'approved'; order: CancellationOrder }
  | Exclude<NotCancelled, { kind: 'not_found' }>;

/** Another one of us agrees, and it is carried out as it comes to at this moment: for what was seen, or less. */
export async function approveCancellation(
  tx: Transaction,
  id: string,
  admin_id: string,
  now: Date,
): Promise<CancellationApproved> {
  const order = await lockOrder(tx, id);
  if (order === null) return { kind: 'not_found' };
  const holding = await openHolding(tx, order.number);
  if (order.state !== 'waiting' || holding?.id !== order.holding_id) return { kind: 'not_waiting' };
  if (order.requested_by === admin_id) return { kind: 'own' };
  const judged = await judge(tx, holding, order, now);
  if ('kind' in judged) return judged;
  const refund_micros = refundOf(judged.preview);
  // Another month was paid for while it waited.
  if (refund_micros > order.refund_micros) return { kind: 'refund_differs', refund_micros };
  const approvals = await approve(tx, id, admin_id, now);
  if (approvals === null) return { kind: 'twice' };
  if (approvals >= order.approvals_needed) await carryOut(tx, holding, { ...order, ...judged }, now);
  return { kind: 'approved', order: (await selectCancellationOrder(tx, id)) ?? order };
}

/** Null where none of this id waits. */
export async function rejectCancellation(tx: Transaction, id: string, now: Date): Promise<CancellationOrder | null> {
  const order = await lockOrder(tx, id);
  if (order?.state !== 'waiting') return null;
  await settleOrder(tx, id, 'rejected', now);
  return { ...order, state: 'rejected', decided_at: now };
}

/** Takes back what one of us cancelled to the period's end, before that has come. What its holder cancelled is his to undo. */
export async function withdrawCancellation(
  tx: Transaction,
  number: string,
  now: Date,
): Promise<{ kind: 'withdrawn'; cancellation: Cancellation; account_id: string } | { kind: 'not_found' | 'too_late' }> {
  await lockNumber(tx, number);
  const holding = await openHolding(tx, number);
  const pending = holding === null ? null : await pendingCancellation(tx, holding.id);
  if (holding === null || pending === null || pending.reason === null) return { kind: 'not_found' };
  if (await isPast(tx, holding.id, pending, now)) return { kind: 'too_late' };
  await takeBack(tx, holding, pending, now);
  return { kind: 'withdrawn', cancellation: { ...pending, undone_at: now }, account_id: holding.account_id };
}

interface Judged {
  preview: CancellationPreview;
  pending: Cancellation | null;
}

/** What it comes to now, and the cancellation that it takes the place of; locks the wallet, so that both stay as they are. */
async function judge(
  tx: Transaction,
  holding: Holding,
  terms: CancellationTerms,
  now: Date,
): Promise<Judged | { kind: 'being_ported' | 'disputed' | 'already_cancelled' }> {
  if (await isBeingPorted(tx, holding.id)) return { kind: 'being_ported' };
  const pending = await pendingCancellation(tx, holding.id);
  if (pending !== null && pending.reason !== null && !terms.at_once) return { kind: 'already_cancelled' };
  await lockWallet(tx, holding.wallet_id);
  const preview = await previewCancellation(tx, holding, terms, now);
  if (preview.effective_at <= now && (await isDisputed(tx, holding.id, now))) return { kind: 'disputed' };
  return { preview, pending };
}

async function carryOut(
  tx: Transaction,
  holding: Holding,
  { id, at_once, preview, pending, reason }: Judged & { id: string; at_once: boolean; reason: string },
  now: Date,
): Promise<void> {
  // Before its holding ends, by which whatever still waits lapses.
  await settleOrder(tx, id, 'done', now);
  await enterCancellation(tx, holding, { id, at_once, preview, pending }, now);
  const refund_micros = refundOf(preview);
  await queueNotice(tx, {
    to: { account_id: holding.account_id },
    template: 'number_cancelled_by_us',
    facts: {
      ...{ number: holding.number, until: preview.effective_at.toISOString(), reason },
      ...(refund_micros > 0n ? { amount: moneyWords(refund_micros, preview.currency) } : {}),
    },
  });
}

type OrderRow = Omit<CancellationOrder, 'refund_micros'> & { refund_micros: string };

const orders = `
select o.id, o.holding_id, h.number, h.account_id, h.currency, o.at_once, o.refund, o.refund_micros, o.reason, o.state, o.approvals_needed,
       o.requested_by, o.requested_at, o.decided_at
  from cancellation_order o join number_holding h on h.id = o.holding_id`;

const orderOf = (row: OrderRow): CancellationOrder => ({ ...row, refund_micros: BigInt(row.refund_micros) });

export async function selectCancellationOrder(db: Queryable, id: string): Promise<CancellationOrder | null> {
  const { rows } = await db.query<OrderRow>(`${orders} where o.id = $1`, [id]);
  return rows[0] === undefined ? null : orderOf(rows[0]);
}

/** The latest first, from before the one that a page ended with. */
export async function listCancellationOrders(
  db: Queryable,
  state: CancellationOrderState,
  before: readonly [string, string] | null,
  rows_max: number,
): Promise<CancellationOrder[]> {
  const { rows } = await db.query<OrderRow>(
    `${orders} where o.state = $1 and ($2::timestamptz is null or (o.requested_at, o.id) < ($2, $3::uuid))
      order by o.requested_at desc, o.id desc limit $4`,
    [state, before?.[0] ?? null, before?.[1] ?? null, rows_max],
  );
  return rows.map(orderOf);
}

/** With its number's row locked, by which all that happens to it happens one after the other. */
async function lockOrder(tx: Transaction, id: string): Promise<CancellationOrder | null> {
  const seen = await selectCancellationOrder(tx, id);
  if (seen === null) return null;
  await lockNumber(tx, seen.number);
  return selectCancellationOrder(tx, id);
}

async function waitsAlready(tx: Transaction, { id }: Holding): Promise<boolean> {
  const { rows } = await tx.query(`select from cancellation_order where holding_id = $1 and state = 'waiting'`, [id]);
  return rows.length > 0;
}

async function insertOrder(
  tx: Transaction,
  { id: holding_id }: Holding,
  order: CancellationOrderWish & { refund_micros: Micros; approvals_needed: number },
): Promise<void> {
  await tx.query(
    `insert into cancellation_order (id, holding_id, at_once, refund, refund_micros, reason, state, approvals_needed, requested_by, requested_at)
     values ($1, $2, $3, $4, $5, $6, 'waiting', $7, $8, $9)`,
    [
      ...[order.id, holding_id, order.at_once, order.refund, order.refund_micros.toString(), order.reason],
      ...[order.approvals_needed, order.admin_id, order.now],
    ],
  );
}

async function settleOrder(tx: Transaction, id: string, state: 'done' | 'rejected', now: Date): Promise<void> {
  await tx.query('update cancellation_order set state = $2, decided_at = $3 where id = $1', [id, state, now]);
}
