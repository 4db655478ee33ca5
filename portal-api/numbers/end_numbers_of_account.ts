import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { operationIdOf } from '../http/idempotency.ts';
import { disputesOfClaimant, lockDispute } from './disputes/dispute_rows.ts';
import { withdrawDispute } from './disputes/withdraw_dispute.ts';
import { pendingCancellation } from './holdings/cancel_number.ts';
import { orderCancellation } from './holdings/cancellation_order.ts';
import { heldBy, ownHolding } from './holdings/holding_rows.ts';
import { lockNumber } from './lock_number.ts';
import { movePortIn } from './moving/port_in.ts';
import { portInsUnderWay } from './moving/port_in_rows.ts';
import { withdrawTransfer } from './moving/transfer.ts';
import type { NumbersDesk } from './numbers_desk.ts';
import { failOrder } from './orders/drive_order.ts';
import { ordersUnderWay, selectOrder } from './orders/order_rows.ts';
import { nextOrderState } from './orders/order_state.ts';
import { cancelOrder } from './orders/resume_orders.ts';

const NUMBERS_MAX = 10_000;
const REASON = 'The account was closed.';

export interface ClosedAccount {
  account_id: string;
  /** Who closed it, and thereby cancels what it holds. */
  admin_id: string;
}

/**
 * What becomes of the numbers of an account that was closed: orders end with all that they cost given back, what was on its way here stays
 * where it is, what it said of numbers of others is taken back, what was offered to others is withdrawn, and what it holds ends with what is
 * paid for. Each by itself, so that one that fails keeps no other; done again, it does the rest.
 */
export async function endNumbersOfAccount(desk: NumbersDesk, closed: ClosedAccount): Promise<void> {
  const { pool } = desk;
  const { account_id } = closed;
  const now = desk.now();
  const orders = await ordersUnderWay(pool, account_id);
  const port_ins = await portInsUnderWay(pool, account_id);
  const cancelled = { event: 'cancelled', reason: REASON, account_id, now } as const;
  const disputes = await disputesOfClaimant(pool, account_id);
  const failures: unknown[] = [];
  const doEach = async <T>(all: readonly T[], end: (tx: Transaction, one: T) => Promise<unknown>): Promise<void> => {
    for (const one of all) {
      await inTransaction(pool, (tx) => end(tx, one)).catch((error: unknown) => failures.push(error));
    }
  };
  await doEach(orders, (tx, { id, number }) => endOrder(tx, id, number, now));
  await doEach(port_ins, (tx, { id }) => movePortIn(tx, id, cancelled, desk));
  await doEach(disputes, (tx, { id }) => giveUpDispute(tx, id, closed, now));
  // An order that came to work before its turn is among these.
  const holdings = await heldBy(pool, account_id, null, NUMBERS_MAX);
  await doEach(holdings, (tx, { number }) => cancelHeld(tx, number, closed, now));
  if (failures.length > 0)
    throw new AggregateError(failures, `${failures.length} numbers of ${account_id} did not end.`);
}

async function giveUpDispute(tx: Transaction, id: string, { admin_id }: ClosedAccount, now: Date): Promise<void> {
  const dispute = await lockDispute(tx, id);
  if (dispute !== null) await withdrawDispute(tx, dispute, admin_id, now);
}

async function endOrder(tx: Transaction, id: string, number: string, now: Date): Promise<void> {
  await lockNumber(tx, number);
  const order = await selectOrder(tx, id);
  if (order === null || (await cancelOrder(tx, order, now)) !== null) return;
  if (nextOrderState(order.state, 'refused') !== null) await failOrder(tx, order, 'account_closed', now);
}

/**
 * What its holder cancelled ends no later. One that was promised to another operator goes there; if it does not, or if a cancellation of it
 * waits for another admin, or a decision on whose it is, it is never paid for again, and ends as it is looked at.
 */
async function cancelHeld(
  tx: Transaction,
  number: string,
  { account_id, admin_id }: ClosedAccount,
  now: Date,
): Promise<void> {
  await withdrawTransfer(tx, { number, account_id, now });
  const holding = await ownHolding(tx, number, account_id);
  if (holding === null || (await pendingCancellation(tx, holding.id)) !== null) return;
  await orderCancellation(tx, {
    ...{ id: operationIdOf('account_closed', holding.id), number, at_once: false, refund: 'none', reason: REASON },
    ...{ refund_micros_seen: 0n, alone_micros_max: 0n, admin_id, now },
  });
}
