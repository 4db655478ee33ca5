import { z } from 'zod';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { e164, instantOut, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { EVERY_CUSTOMER, WHO_PAYS } from '../../identity/policy.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { lockNumber } from '../lock_number.ts';
import { BUYER_PROBLEMS, refuse, refuseForDocuments } from '../refusals.ts';
import { PENDING_KYC_MAX } from '../terms.ts';
import { accountOf } from '../../identity/whose.ts';
import { orderAnswer, orderShape } from './order_answer.ts';
import { listOrders, orderEvents, selectOrder } from './order_rows.ts';
import { ORDER_STATES } from './order_state.ts';
import { placeOrder } from './place_order.ts';
import type { Placed } from './place_order.ts';
import { cancelOrder } from './resume_orders.ts';

export function orderRoutes(desk: NumbersDesk): Route[] {
  return [placeRoute(desk), listRoute(desk), readRoute(desk), cancelRoute(desk)];
}

function placeRoute(desk: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/number-orders',
      operation_id: 'order_number',
      summary:
        'Buy a number: the setup and the first month are taken from the wallet, and given back if it does not come to work.',
      tag: 'numbers',
      policy: { customer: WHO_PAYS, api_key: 'numbers:write' },
      idempotent: true,
      body: z.object({
        number: e164,
        /** Keep the order, and the number, until your documents are approved; nothing is charged before. */
        wait_for_kyc: z.boolean().default(false),
      }),
      answers: { 201: { description: 'The order.', json: orderShape } },
      problems: BUYER_PROBLEMS,
    },
    async ({ body, identity, operation_id, now }) => {
      const wish = { ...body, order_id: operation_id, account_id: accountOf(identity), now };
      const placed = await inTransaction(desk.pool, (tx) => placeOrder(tx, wish, desk));
      return { status: 201, body: placedOrRefuse(placed) };
    },
  );
}

function placedOrRefuse(placed: Placed): z.input<typeof orderShape> {
  switch (placed.kind) {
    case 'placed':
      return orderAnswer(placed.order);
    case 'kyc_required':
      return refuseForDocuments(placed.missing);
    case 'too_many_waiting':
      throw new Problem('conflict', `At most ${PENDING_KYC_MAX} orders wait for documents at once.`);
    default:
      return refuse(placed.kind);
  }
}

function listRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/number-orders',
      operation_id: 'list_number_orders',
      summary: 'What you have ordered.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER, api_key: 'numbers:read' },
      query: pageQuery,
      answers: { 200: { description: 'The newest first.', json: pageOf(orderShape) } },
    },
    async ({ query, identity }) => {
      const key = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), uuid]));
      const before = key === null ? null : { ordered_at: new Date(key[0]), id: key[1] };
      const rows = await listOrders(pool, accountOf(identity), before, query.limit + 1);
      const body = page(rows, query.limit, {
        key: ({ ordered_at, id }) => [ordered_at.toISOString(), id],
        item: orderAnswer,
      });
      return { status: 200, body };
    },
  );
}

const orderParams = z.object({ order_id: uuid });

function readRoute({ pool }: NumbersDesk): Route {
  const shape = orderShape.extend({
    timeline: z.array(z.object({ state: z.enum(ORDER_STATES), at: instantOut, note: z.string().nullable() })),
  });
  return route(
    {
      method: 'get',
      path: '/v1/number-orders/{order_id}',
      operation_id: 'read_number_order',
      summary: 'How an order stands, and how it came there.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER, api_key: 'numbers:read' },
      params: orderParams,
      answers: { 200: { description: 'The order with its timeline.', json: shape } },
    },
    async ({ params, identity }) => {
      const order = await selectOrder(pool, params.order_id);
      if (order?.account_id !== accountOf(identity)) throw new Problem('not_found');
      return { status: 200, body: { ...orderAnswer(order), timeline: await orderEvents(pool, order.id) } };
    },
  );
}

function cancelRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/number-orders/{order_id}/cancel',
      operation_id: 'cancel_number_order',
      summary: 'Give up an order that waits for documents.',
      tag: 'numbers',
      policy: { customer: WHO_PAYS, api_key: 'numbers:write' },
      idempotent: true,
      params: orderParams,
      answers: { 200: { description: 'The order, cancelled.', json: orderShape } },
      problems: ['too_late'],
    },
    async ({ params, identity, now }) => {
      const account_id = accountOf(identity);
      const cancelled = await inTransaction(pool, async (tx) => {
        const seen = await selectOrder(tx, params.order_id);
        if (seen?.account_id !== account_id) throw new Problem('not_found');
        await lockNumber(tx, seen.number);
        const order = await selectOrder(tx, seen.id);
        if (order?.state === 'cancelled') return order;
        return order === null ? null : cancelOrder(tx, order, now);
      });
      if (cancelled === null) {
        throw new Problem('too_late', 'It is under way. Once it works, cancel the number instead.');
      }
      return { status: 200, body: orderAnswer(cancelled) };
    },
  );
}
