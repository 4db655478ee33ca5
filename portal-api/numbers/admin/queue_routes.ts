import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Transaction } from '../../../domain/db/transaction.ts';
import { line, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { lockNumber } from '../lock_number.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { failOrder } from '../orders/drive_order.ts';
import { orderAnswer, orderShape } from '../orders/order_answer.ts';
import { openOrders, selectOrder } from '../orders/order_rows.ts';
import type { Order } from '../orders/order_rows.ts';
import { nextOrderState } from '../orders/order_state.ts';
import { driveSoon } from '../orders/place_order.ts';
import { PROVISIONING_EXPECTED_MS } from '../terms.ts';
import { NUMBERS_READ, NUMBERS_WRITE } from './inventory_routes.ts';

const LISTED_MAX = 200;

export function queueRoutes(desk: NumbersDesk): Route[] {
  return [queueRoute(desk), retryRoute(desk), failRoute(desk)];
}

const queuedShape = orderShape
  .extend({ account_id: uuid, provider: z.string(), is_stuck: z.boolean() })
  .meta({ id: 'QueuedNumberOrder' });

const queued = (order: Order, now: Date): z.input<typeof queuedShape> => ({
  ...orderAnswer(order),
  ...{ account_id: order.account_id, provider: order.provider },
  is_stuck: order.state !== 'pending_kyc' && order.state_since.getTime() <= now.getTime() - PROVISIONING_EXPECTED_MS,
});

function queueRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/number-orders',
      operation_id: 'list_order_queue',
      summary: 'Orders that are not at their end.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_READ },
      query: z.object({ stuck: z.enum(['yes', 'no']).optional() }),
      answers: {
        200: {
          description: 'Those that have not moved for longest first.',
          json: z.object({ items: z.array(queuedShape) }),
        },
      },
    },
    async ({ query, now }) => {
      const is_for_stuck = query.stuck === 'yes';
      const orders = await openOrders(pool, {
        states: is_for_stuck ? ['provisioning', 'testing'] : ['pending_kyc', 'provisioning', 'testing'],
        unmoved_since: is_for_stuck ? new Date(now.getTime() - PROVISIONING_EXPECTED_MS) : null,
        rows_max: LISTED_MAX,
      });
      return { status: 200, body: { items: orders.map((order) => queued(order, now)) } };
    },
  );
}

const orderParams = z.object({ order_id: uuid });

/** The order with its number's row locked. */
async function lockOrder(tx: Transaction, order_id: string): Promise<Order> {
  const seen = await selectOrder(tx, order_id);
  if (seen === null) throw new Problem('not_found');
  await lockNumber(tx, seen.number);
  const order = await selectOrder(tx, order_id);
  if (order === null) throw new Problem('not_found');
  return order;
}

function retryRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/number-orders/{order_id}/retry',
      operation_id: 'retry_number_order',
      summary: 'Ask the provider of an order again, now.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      idempotent: true,
      params: orderParams,
      answers: { 202: { description: 'It is asked.', json: queuedShape } },
      problems: ['too_late'],
    },
    async ({ params, identity, now }) => {
      const order = await inTransaction(pool, async (tx) => {
        const found = await lockOrder(tx, params.order_id);
        if (found.state !== 'provisioning' && found.state !== 'testing')
          throw new Problem('too_late', 'It is not with its provider.');
        await driveSoon(tx, found.id);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'number_order.retry', account_id: found.account_id },
          subject: `number_order:${found.id}`,
        });
        return found;
      });
      return { status: 202, body: queued(order, now) };
    },
  );
}

function failRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/number-orders/{order_id}/fail',
      operation_id: 'fail_number_order',
      summary: 'Give an order up: all that it cost is given back.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      idempotent: true,
      params: orderParams,
      body: z.object({ reason: line(200) }),
      answers: { 200: { description: 'It has failed.', json: queuedShape } },
      problems: ['too_late'],
    },
    async ({ params, body, identity, now }) => {
      const order = await inTransaction(pool, async (tx) => {
        const found = await lockOrder(tx, params.order_id);
        if (nextOrderState(found.state, 'refused') === null) throw new Problem('too_late', 'It is at its end.');
        await failOrder(tx, found, body.reason, now);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'number_order.fail', account_id: found.account_id },
          ...{ subject: `number_order:${found.id}`, detail: { reason: body.reason } },
        });
        return selectOrder(tx, found.id);
      });
      if (order === null) throw new Problem('not_found');
      return { status: 200, body: queued(order, now) };
    },
  );
}
