import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { line, microsOut } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor, adminOf } from '../../identity/whose.ts';
import { secondApprovalAbove } from '../../payments/approvals.ts';
import { previewCancellation, refundOf } from '../holdings/cancel_number.ts';
import { orderCancellation, withdrawCancellation } from '../holdings/cancellation_order.ts';
import type { CancellationOrder, NotCancelled } from '../holdings/cancellation_order.ts';
import { REFUND_RULES } from '../holdings/cancellation_refund.ts';
import {
  cancellationAnswer,
  cancellationShape,
  previewAnswer,
  previewShape,
  when,
} from '../holdings/cancellation_routes.ts';
import { openHolding } from '../holdings/holding_rows.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { DECIDE_THE_DISPUTE } from '../refusals.ts';
import { numberParams } from '../offers/offer_routes.ts';
import { orderAnswer, orderShape } from './cancellation_order_routes.ts';
import { NUMBERS_WRITE } from './inventory_routes.ts';

/** A customer's number that one of us cancels, and what is given back for it. */
export function adminCancellationRoutes(desk: NumbersDesk): Route[] {
  return [previewRoute(desk), cancelRoute(desk), withdrawRoute(desk)];
}

const terms = z.object({
  when,
  /**
   * policy: what the customer would get; none; full: all that was charged last and not given back yet, the month, and the setup where that
   * was charged with it.
   */
  refund: z.enum(REFUND_RULES).default('policy'),
});

const adminPreviewShape = previewShape
  .extend({
    refund: z.enum(REFUND_RULES),
    /** Whether two of us have to agree. */
    needs_approval: z.boolean(),
    /** What `full` would come to: no more is given back, whatever is decided. */
    refund_micros_max: microsOut,
  })
  .meta({ id: 'AdminCancellationPreview' });

function previewRoute(desk: NumbersDesk): Route {
  const { pool } = desk;
  return route(
    {
      method: 'get',
      path: '/v1/admin/numbers/{number}/cancellation-preview',
      operation_id: 'preview_cancellation_as_admin',
      summary: 'What a customer gets back if you cancel a number of his.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      params: numberParams,
      query: terms,
      answers: { 200: { description: 'What a cancellation at this moment comes to.', json: adminPreviewShape } },
    },
    async ({ params, query, now }) => {
      const holding = await openHolding(pool, params.number);
      if (holding === null) throw new Problem('not_found', 'Nobody holds this number.');
      const at_once = query.when === 'now';
      const preview = await previewCancellation(pool, holding, { at_once, refund: query.refund }, now);
      const most = await previewCancellation(pool, holding, { at_once, refund: 'full' }, now);
      const needs_approval = refundOf(preview) > secondApprovalAbove(desk);
      return {
        status: 200,
        body: {
          ...previewAnswer(query.when, preview),
          ...{ refund: query.refund, needs_approval, refund_micros_max: refundOf(most) },
        },
      };
    },
  );
}

function cancelRoute(desk: NumbersDesk): Route {
  const { pool } = desk;
  return route(
    {
      method: 'post',
      path: '/v1/admin/numbers/{number}/cancellation',
      operation_id: 'cancel_number_as_admin',
      summary:
        'Cancel a number of a customer, now or at the end of what is paid for. Above the limit of refunds another admin has to agree, and nothing happens before.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE, step_up: true },
      idempotent: true,
      params: numberParams,
      body: terms.extend({
        /** What the preview said; if it is another amount by now, nothing is cancelled. */
        refund_micros: z
          .string()
          .regex(/^(?:0|[1-9][0-9]{0,14})$/u)
          .transform(BigInt),
        /** The customer reads it. */
        reason: line(300),
      }),
      answers: { 201: { description: 'Done, or waiting for another admin.', json: orderShape } },
      problems: ['conflict'],
    },
    async ({ params, body, identity, operation_id, now }) => {
      const wish = {
        ...{ id: operation_id, number: params.number, at_once: body.when === 'now', refund: body.refund, now },
        ...{ reason: body.reason, refund_micros_seen: body.refund_micros, admin_id: adminOf(identity).user_id },
        alone_micros_max: secondApprovalAbove(desk),
      };
      const order = await inTransaction(pool, async (tx): Promise<CancellationOrder> => {
        const ordered = await orderCancellation(tx, wish);
        if (ordered.kind !== 'ordered') throw notCancelled(ordered);
        const { account_id, state, refund_micros } = ordered.order;
        if (ordered.is_new) {
          await appendAudit(tx, {
            ...{ at: now, actor: adminActor(identity), action: 'number.cancel', account_id },
            ...{ subject: `number:${params.number}` },
            detail: {
              ...{ order_id: operation_id, when: body.when, refund: body.refund, reason: body.reason, state },
              refund_micros: refund_micros.toString(),
            },
          });
        }
        return ordered.order;
      });
      return { status: 201, body: orderAnswer(order) };
    },
  );
}

export function notCancelled(why: NotCancelled): Problem {
  switch (why.kind) {
    case 'not_found':
      return new Problem('not_found', 'Nobody holds this number.');
    case 'being_ported':
      return new Problem('conflict', 'It is on its way to another operator. Refuse that first, or let it go.');
    case 'disputed':
      return new Problem('conflict', DECIDE_THE_DISPUTE);
    case 'already_cancelled':
      return new Problem(
        'conflict',
        'One of us has cancelled it to the period’s end. Withdraw that first, or cancel it now.',
      );
    case 'waits_already':
      return new Problem(
        'conflict',
        'A cancellation of it waits for another admin. Have that approved or rejected first.',
      );
    case 'refund_differs':
      return new Problem(
        'conflict',
        `${why.refund_micros} micros would be given back by now. Look at the preview again.`,
      );
  }
}

function withdrawRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/numbers/{number}/cancellation/withdraw',
      operation_id: 'withdraw_cancellation',
      summary: 'Let a customer keep a number that one of us cancelled, until that takes effect.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE, step_up: true },
      params: numberParams,
      body: z.object({ reason: line(300) }),
      answers: { 200: { description: 'The cancellation that was taken back.', json: cancellationShape } },
      problems: ['too_late'],
    },
    async ({ params: { number }, body, identity, now }) => {
      const cancellation = await inTransaction(pool, async (tx) => {
        const withdrawn = await withdrawCancellation(tx, number, now);
        if (withdrawn.kind === 'too_late') throw new Problem('too_late', 'It has taken effect.');
        if (withdrawn.kind !== 'withdrawn') throw new Problem('not_found', 'None of us has cancelled this number.');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'number.keep', account_id: withdrawn.account_id },
          ...{ subject: `number:${number}`, detail: { reason: body.reason, order_id: withdrawn.cancellation.id } },
        });
        return withdrawn.cancellation;
      });
      return { status: 200, body: cancellationAnswer(cancellation) };
    },
  );
}
