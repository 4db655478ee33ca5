import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import { task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { endNumbersOfAccount } from './end_numbers_of_account.ts';
import { freeNumbers, renewNumbers } from './holdings/renew.ts';
import { lapsePortOuts } from './moving/port_out.ts';
import { tellSoon, tellTransfer } from './moving/tell_provider.ts';
import { expireTransfers } from './moving/transfer.ts';
import { tellingTransfers } from './moving/transfer_rows.ts';
import type { NumbersDesk } from './numbers_desk.ts';
import { sweepHolds } from './offers/holds.ts';
import { driveOrder } from './orders/drive_order.ts';
import { accountsWaiting, openOrders } from './orders/order_rows.ts';
import { driveSoon } from './orders/place_order.ts';
import { resumeOrders, resumeOrdersOf } from './orders/resume_orders.ts';
import { giveBackOrdered, lookAtNumbersToGiveBack } from './provider/give_numbers_back.ts';
import { lastSuppliedOrder } from './provider/submissions.ts';

const ORDERS_AT_ONCE = 500;
const nothing = z.object({});
const ofOrder = z.object({ order_id: z.uuid() });

/** What is done for numbers by itself. */
export function numberTasks(desk: NumbersDesk): Task[] {
  const { pool, now } = desk;
  return [
    task('drive_number_order', ofOrder, ({ order_id }) => driveOrder(desk, order_id)),
    task('tell_number_transfer', z.object({ transfer_id: z.uuid() }), ({ transfer_id }) =>
      tellTransfer(desk, transfer_id),
    ),
    task('resume_number_orders', z.object({ account_id: z.uuid() }), ({ account_id }) =>
      resumeOrdersOf(pool, account_id, desk, now()),
    ),
    task('look_at_number_orders', nothing, () => lookAtOrders(desk), '* * * * *'),
    task('release_number_order', ofOrder, ({ order_id }) => giveBackOrdered(desk, order_id)),
    task('release_number', z.object({ number: z.string() }), async ({ number }) => {
      const order_id = await lastSuppliedOrder(pool, number);
      if (order_id !== null) await giveBackOrdered(desk, order_id);
    }),
    task('look_at_numbers_to_give_back', nothing, () => lookAtNumbersToGiveBack(pool), '*/10 * * * *'),
    task('renew_numbers', z.object({ account_id: z.uuid().optional() }), ({ account_id }) =>
      renewNumbers(pool, account_id ?? null, now()),
    ),
    task('end_numbers_of_account', z.object({ account_id: z.uuid(), admin_id: z.uuid() }), (closed) =>
      endNumbersOfAccount(desk, closed),
    ),
    task('look_at_numbers', nothing, () => lookAtNumbers(desk), '*/5 * * * *'),
  ];
}

/**
 * Whatever message was lost: orders are looked at until they are at their end. Those that are paid are counted apart: so many may wait for
 * documents, and for so long, that of the two together these alone would be looked at.
 */
async function lookAtOrders({ pool }: NumbersDesk): Promise<void> {
  const paid = { states: ['provisioning', 'testing'] as const, unmoved_since: null, rows_max: ORDERS_AT_ONCE };
  const driven = await openOrders(pool, paid);
  const waiting = await accountsWaiting(pool, ORDERS_AT_ONCE);
  const transfers = await tellingTransfers(pool, ORDERS_AT_ONCE);
  await inTransaction(pool, async (tx) => {
    for (const { id } of driven) await driveSoon(tx, id);
    for (const account_id of waiting) await resumeOrders(tx, account_id);
    for (const transfer of transfers) await tellSoon(tx, transfer);
  });
}

async function lookAtNumbers({ pool, now }: NumbersDesk): Promise<void> {
  const at = now();
  await sweepHolds(pool, at);
  await expireTransfers(pool, at, null);
  await renewNumbers(pool, null, at);
  await freeNumbers(pool, at);
  // Last, so that no month is left unpaid where one of them fails; what its promise kept waiting is due at the next look.
  await lapsePortOuts(pool, at);
}
