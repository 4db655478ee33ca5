import type pg from 'pg';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { enqueue } from '../../jobs/task.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { lockNumber } from '../lock_number.ts';
import { numberKind } from '../offers/number_kind.ts';
import { PENDING_KYC_MS } from '../terms.ts';
import { mayBuy, selectBuyer } from './buyer.ts';
import type { BuyerPorts } from './buyer.ts';
import { failOrder } from './drive_order.ts';
import { nextOrderState } from './order_state.ts';
import { moveOrder, selectOrder, waitingOrders } from './order_rows.ts';
import type { Order } from './order_rows.ts';
import { beginProvisioning, chargeOrder } from './place_order.ts';

/** To be called where documents were approved, in that transaction: orders of the account that waited for them go on. */
export function resumeOrders(tx: Queryable, account_id: string): Promise<void> {
  return enqueue(tx, { task: 'resume_number_orders', payload: { account_id } });
}

/**
 * Lets each waiting order of an account go on whose documents are there; one that cannot be paid any more has failed, and cost nothing. Terms
 * that came into force while it waited have to be agreed to before it is charged, as before any other order: until then it waits on.
 */
export async function resumeOrdersOf(pool: pg.Pool, account_id: string, ports: BuyerPorts, now: Date): Promise<void> {
  for (const { id, number } of await waitingOrders(pool, account_id)) {
    await inTransaction(pool, async (tx) => {
      await lockNumber(tx, number);
      const order = await selectOrder(tx, id);
      if (order?.state === 'pending_kyc') await resume(tx, order, ports, now);
    });
  }
}

async function resume(tx: Transaction, order: Order, ports: BuyerPorts, now: Date): Promise<void> {
  if (now.getTime() - order.ordered_at.getTime() >= PENDING_KYC_MS) {
    await cancelOrder(tx, order, now);
    return;
  }
  const { account_id } = order;
  const kind = await numberKind(tx, order.number);
  if ((await ports.missingDocuments(tx, { account_id, ...kind, now })).length > 0) return;
  const allowed = mayBuy(await selectBuyer(tx, account_id, order.currency, now));
  if ('refusal' in allowed) return failOrder(tx, order, allowed.refusal, now);
  if (!(await ports.termsAccepted(tx, account_id, now))) return;
  if (!(await chargeOrder(tx, order, now))) return failOrder(tx, order, 'no_money', now);
  await beginProvisioning(tx, await moveOrder(tx, order, 'provisioning', { now }));
}

/** Gives an order up that waits for documents; null where it has gone on already. Its number's row is locked. */
export async function cancelOrder(tx: Transaction, order: Order, now: Date): Promise<Order | null> {
  const next = nextOrderState(order.state, 'cancelled');
  if (next === null) return null;
  await tellCustomer(tx, order.account_id, { type: 'order', id: order.id, state: next });
  return moveOrder(tx, order, next, { now });
}
