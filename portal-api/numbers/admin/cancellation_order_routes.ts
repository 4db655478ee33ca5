import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { currency, e164, instantOut, line, microsOut, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import type { AdminRole } from '../../identity/identity.ts';
import { adminActor, adminOf } from '../../identity/whose.ts';
import { refuseApproval } from '../../payments/refund_routes.ts';
import {
  approveCancellation,
  CANCELLATION_ORDER_STATES,
  listCancellationOrders,
  rejectCancellation,
} from '../holdings/cancellation_order.ts';
import type { CancellationApproved, CancellationOrder } from '../holdings/cancellation_order.ts';
import { REFUND_RULES } from '../holdings/cancellation_refund.ts';
import { when } from '../holdings/cancellation_routes.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { DECIDE_THE_DISPUTE } from '../refusals.ts';

/** Whoever agrees to a refund agrees to this one, too. */
const FINANCE: readonly AdminRole[] = ['finance', 'owner'];
const WHO_READS: readonly AdminRole[] = ['finance', 'operations', 'owner'];

/** What of our cancellations waits for another one of us, and what became of the others. */
export function cancellationOrderRoutes(desk: NumbersDesk): Route[] {
  return [listRoute(desk), approveRoute(desk), rejectRoute(desk)];
}

export const orderShape = z
  .object({
    cancellation_order_id: uuid,
    number: e164,
    account_id: uuid,
    when,
    refund: z.enum(REFUND_RULES),
    currency,
    /** At most this is given back, with tax. */
    refund_micros: microsOut,
    reason: z.string(),
    /** lapsed: its holder had it no longer before somebody agreed. */
    state: z.enum(CANCELLATION_ORDER_STATES),
    approvals_needed: z.int(),
    requested_by: uuid,
    requested_at: instantOut,
    decided_at: instantOut.nullable(),
  })
  .meta({ id: 'CancellationOrder' });

export function orderAnswer(order: CancellationOrder): z.input<typeof orderShape> {
  const { id, number, account_id, at_once, refund, refund_micros, reason, state, approvals_needed } = order;
  return {
    ...{ cancellation_order_id: id, number, account_id, when: at_once ? 'now' : 'period_end', refund },
    ...{ currency: order.currency, refund_micros, reason, state, approvals_needed },
    ...{ requested_by: order.requested_by, requested_at: order.requested_at, decided_at: order.decided_at },
  };
}

const cursorKey = z.tuple([z.iso.datetime(), uuid]);
const keyOf = ({ requested_at, id }: CancellationOrder) => [requested_at.toISOString(), id];

function listRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/cancellation-orders',
      operation_id: 'list_cancellation_orders',
      summary: 'Numbers that one of us cancelled, by state: those that wait for approval by default.',
      tag: 'admin: numbers',
      policy: { admin: WHO_READS },
      query: pageQuery.extend({ state: z.enum(CANCELLATION_ORDER_STATES).default('waiting') }),
      answers: { 200: { description: 'The latest first.', json: pageOf(orderShape) } },
    },
    async ({ query: { state, cursor, limit } }) => {
      const rows = await listCancellationOrders(pool, state, decodeCursor(cursor, cursorKey), limit + 1);
      return { status: 200, body: page(rows, limit, { key: keyOf, item: orderAnswer }) };
    },
  );
}

const withId = z.object({ cancellation_order_id: uuid });

function approveRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/cancellation-orders/{cancellation_order_id}/approve',
      operation_id: 'approve_cancellation_order',
      summary: 'Agree to a cancellation that somebody else asked for; it is carried out.',
      tag: 'admin: numbers',
      policy: { admin: FINANCE, step_up: true },
      params: withId,
      answers: { 200: { description: 'As it is now.', json: orderShape } },
      problems: ['not_found', 'conflict', 'second_approval_required'],
    },
    async ({ identity, params, now }) => {
      const order = await inTransaction(pool, async (tx) => {
        const id = params.cancellation_order_id;
        const approved = approvedOrRefuse(await approveCancellation(tx, id, adminOf(identity).user_id, now));
        const { account_id, number, state } = approved;
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'number.cancel_approve', account_id },
          ...{ subject: `number:${number}`, detail: { order_id: id, state } },
        });
        return approved;
      });
      return { status: 200, body: orderAnswer(order) };
    },
  );
}

function approvedOrRefuse(approved: CancellationApproved): CancellationOrder {
  switch (approved.kind) {
    case 'approved':
      return approved.order;
    case 'disputed':
      throw new Problem('conflict', DECIDE_THE_DISPUTE);
    case 'being_ported':
    case 'already_cancelled':
    case 'waits_already':
      throw new Problem(
        'conflict',
        'Things have changed since it was asked for. Reject it, and look at the number again.',
      );
    case 'refund_differs':
      throw new Problem(
        'conflict',
        `${approved.refund_micros} micros would be given back by now, which is more than was asked for. Reject it, and ask anew.`,
      );
    case 'not_found':
    case 'not_waiting':
    case 'own':
    case 'twice':
      return refuseApproval(approved.kind);
  }
}

function rejectRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/cancellation-orders/{cancellation_order_id}/reject',
      operation_id: 'reject_cancellation_order',
      summary: 'Refuse a cancellation that waits. The customer keeps the number, and hears of nothing.',
      tag: 'admin: numbers',
      policy: { admin: FINANCE, step_up: true },
      params: withId,
      body: z.object({ reason: line(500) }),
      answers: { 200: { description: 'As it is now.', json: orderShape } },
      problems: ['conflict'],
    },
    async ({ identity, params, body, now }) => {
      const id = params.cancellation_order_id;
      const order = await inTransaction(pool, async (tx) => {
        const rejected = await rejectCancellation(tx, id, now);
        if (rejected === null) throw new Problem('conflict', 'No cancellation of this id waits for a decision.');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'number.cancel_reject', account_id: rejected.account_id },
          ...{ subject: `number:${rejected.number}`, detail: { order_id: id, reason: body.reason } },
        });
        return rejected;
      });
      return { status: 200, body: orderAnswer(order) };
    },
  );
}
