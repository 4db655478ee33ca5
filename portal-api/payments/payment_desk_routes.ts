import { z } from 'zod';
import { timeQuery, viewOnRecord, viewQuery } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf } from '../http/cursor.ts';
import { currency, instantOut, line, microsOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { courseOfPayment, readPaymentAtTheDesk, searchPayments } from './payment_desk_rows.ts';
import type { PaymentAtTheDesk } from './payment_desk_rows.ts';
import { paymentShape } from './top_up_routes.ts';

const policy = { admin: ['finance', 'owner'] } as const;
const tag = 'admin payments';
const timeKey = z.tuple([z.iso.datetime(), uuid]);

export const cardShape = z.object({ brand: z.string(), last4: z.string() });

const shape = z
  .object({
    payment_id: uuid,
    account_id: uuid,
    state: paymentShape.shape.state,
    /** top_up: by the customer; auto_top_up: as the wallet fills itself; retry: of one of those that failed. */
    made_by: paymentShape.shape.purpose,
    amount_micros: microsOut,
    refunded_micros: microsOut,
    currency,
    provider: z.string(),
    /** As the provider calls it; null until it has answered. */
    provider_payment: z.string().nullable(),
    /** Null where it was paid on a page of the provider's. */
    card: cardShape.nullable(),
    /** Why it failed, in the provider's words. */
    failure: z.string().nullable(),
    policy_version: z.string(),
    created_at: instantOut,
    changed_at: instantOut,
  })
  .meta({ id: 'PaymentAtTheDesk' });

const withCourse = shape.extend({
  /** Each step with what caused it: the provider's event, or a rule of ours. */
  changes: z.array(z.object({ at: instantOut, event: z.string(), from_state: z.string(), to_state: z.string() })),
  /** What the provider told of it, whether it changed anything or not. */
  told: z.array(z.object({ at: instantOut, event_id: z.string(), kind: z.string() })),
  receipt: z.object({ invoice_id: uuid, number: z.string() }).nullable(),
  dispute_ids: z.array(uuid),
  refund_ids: z.array(uuid),
  /** Where its retries stand: see the list of failed payments. */
  dunning_id: uuid.nullable(),
});

const shown = (row: PaymentAtTheDesk): z.input<typeof shape> => ({
  ...row,
  amount_micros: BigInt(row.amount_micros),
  refunded_micros: BigInt(row.refunded_micros),
});

/** Payments of everybody, as finance sees them. */
export function paymentDeskRoutes(context: PortalContext): Route[] {
  return [list(context), read(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/payments',
      operation_id: 'admin_list_payments',
      summary: 'Payments of all accounts or of one, with what the provider said of those that failed.',
      tag,
      policy,
      query: viewQuery.extend({
        state: shape.shape.state.optional(),
        made_by: shape.shape.made_by.optional(),
        /** The payment’s id, ours or the provider’s, as it stands on a statement. */
        reference: line(200).optional(),
        ...timeQuery,
      }),
      answers: { 200: { description: 'The latest first.', json: pageOf(shape) } },
    },
    async ({ query, identity, now }) => {
      const { account_id = null, state = null, made_by = null, reference = null, from = null, to = null } = query;
      const before = decodeCursor(query.cursor, timeKey);
      const view = { action: 'payments.view', account_id, subject: 'payments', purpose: query.purpose };
      const rows = await viewOnRecord(pool, { identity, now }, view, (tx) =>
        searchPayments(tx, { account_id, state, made_by, reference, from, to }, before, query.limit + 1),
      );
      const key = ({ created_at, payment_id }: PaymentAtTheDesk) => [created_at.toISOString(), payment_id];
      return { status: 200, body: page(rows, query.limit, { key, item: shown }) };
    },
  );
}

function read({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/payments/{payment_id}',
      operation_id: 'admin_read_payment',
      summary: 'One payment: each step, what the provider told, its receipt, disputes, refunds and retries.',
      tag,
      policy,
      params: z.object({ payment_id: uuid }),
      query: z.object({ purpose: line(500) }),
      answers: { 200: { description: 'The payment.', json: withCourse } },
    },
    async ({ params: { payment_id }, query: { purpose }, identity, now }) => {
      const payment = await readPaymentAtTheDesk(pool, payment_id);
      if (payment === null) throw new Problem('not_found');
      const view = {
        action: 'payment.view',
        account_id: payment.account_id,
        subject: `payment:${payment_id}`,
        purpose,
      };
      const course = await viewOnRecord(pool, { identity, now }, view, (tx) => courseOfPayment(tx, payment_id));
      return { status: 200, body: { ...shown(payment), ...course } };
    },
  );
}
