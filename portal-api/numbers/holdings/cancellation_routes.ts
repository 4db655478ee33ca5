import { z } from 'zod';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { currency, e164, instantOut, microsOut, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { EVERY_CUSTOMER, WHO_PAYS } from '../../identity/policy.ts';
import { accountOf } from '../../identity/whose.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { numberParams } from '../offers/offer_routes.ts';
import { cancelNumber, pendingCancellation, previewCancellation, refundOf, undoCancellation } from './cancel_number.ts';
import type { Cancellation, CancellationPreview, Cancelled } from './cancel_number.ts';
import { ownHolding } from './holding_rows.ts';

export function cancellationRoutes(desk: NumbersDesk): Route[] {
  return [previewRoute(desk), readRoute(desk), cancelRoute(desk), undoRoute(desk)];
}

/** Now, or when what is paid for ends. */
export const when = z.enum(['now', 'period_end']);

export const previewShape = z
  .object({
    when,
    effective_at: instantOut,
    currency,
    /** With the tax in it. */
    refund_micros: microsOut,
    refund_tax_micros: microsOut,
    /** Whole days of the paid month that are left, which are given back by the day; the setup is not. */
    days_unused: z.int(),
    days_total: z.int(),
  })
  .meta({ id: 'CancellationPreview' });

export function previewAnswer(
  chosen: z.output<typeof when>,
  preview: CancellationPreview,
): z.input<typeof previewShape> {
  const { effective_at, refund_tax_micros, days_unused, days_total } = preview;
  return {
    ...{ when: chosen, effective_at, currency: preview.currency, refund_micros: refundOf(preview) },
    ...{ refund_tax_micros, days_unused, days_total },
  };
}

function previewRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/numbers/{number}/cancellation-preview',
      operation_id: 'preview_cancellation',
      summary: 'What you get back if you cancel a number.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER, api_key: 'numbers:read' },
      params: numberParams,
      query: z.object({ when }),
      answers: { 200: { description: 'What a cancellation at this moment comes to.', json: previewShape } },
    },
    async ({ params, query, identity, now }) => {
      const holding = await ownHolding(pool, params.number, accountOf(identity));
      if (holding === null) throw new Problem('not_found');
      const terms = { at_once: query.when === 'now', refund: 'policy' } as const;
      const preview = await previewCancellation(pool, holding, terms, now);
      return { status: 200, body: previewAnswer(query.when, preview) };
    },
  );
}

export const cancellationShape = z
  .object({
    cancellation_id: uuid,
    number: e164,
    when,
    requested_at: instantOut,
    effective_at: instantOut,
    /** Null until it took effect. */
    done_at: instantOut.nullable(),
    currency,
    refund_micros: microsOut,
    /** What one of us cancelled its holder cannot undo; ask our support. */
    by: z.enum(['holder', 'operator']),
    /** Why one of us did; null where its holder did. */
    reason: z.string().nullable(),
  })
  .meta({ id: 'Cancellation' });

export function cancellationAnswer(cancellation: Cancellation): z.input<typeof cancellationShape> {
  const { id, number, at_once, requested_at, effective_at, done_at, reason } = cancellation;
  return {
    ...{ cancellation_id: id, number, when: at_once ? 'now' : 'period_end', requested_at, effective_at, done_at },
    ...{ currency: cancellation.currency, refund_micros: refundOf(cancellation) },
    ...{ by: reason === null ? 'holder' : 'operator', reason },
  };
}

function readRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/numbers/{number}/cancellation',
      operation_id: 'read_cancellation',
      summary: 'The cancellation of a number that has not taken effect yet.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER, api_key: 'numbers:read' },
      params: numberParams,
      answers: { 200: { description: 'Until then it can be undone.', json: cancellationShape } },
    },
    async ({ params, identity }) => {
      const holding = await ownHolding(pool, params.number, accountOf(identity));
      const pending = holding === null ? null : await pendingCancellation(pool, holding.id);
      if (pending === null) throw new Problem('not_found');
      return { status: 200, body: cancellationAnswer(pending) };
    },
  );
}

function cancelRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/numbers/{number}/cancellation',
      operation_id: 'cancel_number',
      summary: 'Cancel a number, now or at the end of what is paid for.',
      tag: 'numbers',
      policy: { customer: WHO_PAYS, api_key: 'numbers:write' },
      idempotent: true,
      params: numberParams,
      body: z.object({
        when,
        /** What the preview said; if it is another amount by now, nothing is cancelled. */
        refund_micros: z
          .string()
          .regex(/^(?:0|[1-9][0-9]{0,14})$/u)
          .transform(BigInt)
          .optional(),
      }),
      answers: { 201: { description: 'Cancelled; what is given back is in the wallet.', json: cancellationShape } },
      problems: ['conflict'],
    },
    async ({ params, body, identity, operation_id, now }) => {
      const wish = {
        ...{ cancellation_id: operation_id, number: params.number, account_id: accountOf(identity), now },
        ...{ at_once: body.when === 'now', refund_micros_seen: body.refund_micros ?? null },
      };
      return { status: 201, body: cancelledOrRefuse(await inTransaction(pool, (tx) => cancelNumber(tx, wish))) };
    },
  );
}

const CANCELLED_BY_US =
  'We have cancelled this number ourselves, for the reason that GET of its cancellation tells. Write to our support if you object.';

const DISPUTED =
  'Somebody else says that this number is theirs. Until we have decided it is neither handed on nor ended; cancel it to the end of its period, and say what you know of it at /v1/ownership-disputes.';

function cancelledOrRefuse(cancelled: Cancelled): z.input<typeof cancellationShape> {
  switch (cancelled.kind) {
    case 'cancelled':
      return cancellationAnswer(cancelled.cancellation);
    case 'not_found':
      throw new Problem('not_found');
    case 'already_cancelled':
      throw new Problem('conflict', 'It is cancelled already. Undo that first, or cancel it now.');
    case 'cancelled_by_us':
      throw new Problem('conflict', CANCELLED_BY_US);
    case 'being_ported':
      throw new Problem('conflict', 'It is on its way to another operator. Object to that first.');
    case 'disputed':
      throw new Problem('conflict', DISPUTED);
    case 'refund_differs':
      throw new Problem(
        'conflict',
        `${cancelled.refund_micros} micros are given back by now. Look at the preview again.`,
      );
  }
}

function undoRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/numbers/{number}/cancellation',
      operation_id: 'undo_cancellation',
      summary: 'Keep a number that was cancelled, until that took effect.',
      tag: 'numbers',
      policy: { customer: WHO_PAYS, api_key: 'numbers:write' },
      params: numberParams,
      answers: { 204: { description: 'It goes on as before; a month that is due is charged.', empty: true } },
      problems: ['too_late', 'conflict'],
    },
    async ({ params, identity, now }) => {
      const whose = { number: params.number, account_id: accountOf(identity), now };
      const undone = await inTransaction(pool, (tx) => undoCancellation(tx, whose));
      if (undone === 'not_found') throw new Problem('not_found');
      if (undone === 'cancelled_by_us') throw new Problem('conflict', CANCELLED_BY_US);
      if (undone === 'too_late') throw new Problem('too_late', 'It has taken effect.');
      return { status: 204 };
    },
  );
}
