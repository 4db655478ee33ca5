import { z } from 'zod';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { currency, instantOut, microsIn, microsOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { WHO_PAYS } from '../identity/policy.ts';
import { findAttempt, listAttempts, payingWallet } from './attempts.ts';
import type { Attempt } from './attempts.ts';
import { centsOf } from './cents.ts';
import { findMethod } from './methods.ts';
import { PAYMENT_POLICY } from './payment_policy.ts';
import type { PaymentProvider } from './payment_provider.ts';
import type { PaymentsContext } from './payments_context.ts';
import { startPayment } from './start_payment.ts';
import type { Started } from './start_payment.ts';
import { accountOf } from '../identity/whose.ts';

const TOP_UP_MAX_MICROS = 10_000_000_000n;

export const paymentShape = z
  .object({
    payment_id: uuid,
    state: z.enum(['created', 'pending', 'succeeded', 'failed', 'cancelled', 'disputed', 'charged_back']),
    purpose: z.enum(['top_up', 'auto_top_up', 'retry']),
    amount_micros: microsOut,
    refunded_micros: microsOut,
    currency,
    method_id: uuid.nullable(),
    /** Where the customer pays; null where a saved card was charged. */
    checkout_url: z.string().nullable(),
    failure: z.string().nullable(),
    policy_version: z.string(),
    created_at: instantOut,
    changed_at: instantOut,
  })
  .meta({ id: 'Payment' });

export function shownPayment(attempt: Attempt): z.input<typeof paymentShape> {
  const { id, state, purpose, amount_micros, refunded_micros, method_id, checkout_url, failure } = attempt;
  const { policy_version, created_at, changed_at } = attempt;
  return {
    ...{ payment_id: id, state, purpose, amount_micros, refunded_micros, currency: attempt.currency, method_id },
    ...{ checkout_url, failure, policy_version, created_at, changed_at },
  };
}

export function topUpRoutes(context: PaymentsContext, provider: PaymentProvider | null): Route[] {
  return [
    readPolicy(context),
    beginTopUp(context, provider),
    retryPayment(context, provider),
    listPayments(context),
    readPayment(context),
  ];
}

const policyShape = z.object({
  version: z.string(),
  refund_days: z.int(),
  retry_days: z.array(z.int()),
  /** From which amount on two of us have to agree to a refund. */
  second_approval_above_micros: microsOut,
});

function readPolicy({ settings }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/payment-policy',
      operation_id: 'read_payment_policy',
      summary: 'What holds for payments: to be read before paying.',
      tag: 'payments',
      policy: { anyone: true },
      answers: { 200: { description: 'The policy in force.', json: policyShape } },
    },
    () => {
      const { version, refund_days, retry_days } = PAYMENT_POLICY;
      const second_approval_above_micros = BigInt(settings.SECOND_APPROVAL_ABOVE_UNITS) * 1_000_000n;
      const body = { version, refund_days, retry_days: [...retry_days], second_approval_above_micros };
      return Promise.resolve({ status: 200, body });
    },
  );
}

const topUpBody = z.object({
  amount_micros: microsIn,
  /** A saved card; left out or null: the answer says where to pay. */
  method_id: uuid.nullable().default(null),
  /** Whether the card is kept for later. */
  save_method: z.boolean().default(false),
  /** Of the payment policy that was shown; refused where another one is in force. */
  policy_version: z.string().max(20).optional(),
});

function beginTopUp(context: PaymentsContext, provider: PaymentProvider | null): Route {
  return route(
    {
      method: 'post',
      path: '/v1/top-ups',
      operation_id: 'begin_top_up',
      summary: 'Put money into the wallet.',
      tag: 'payments',
      policy: { customer: WHO_PAYS },
      idempotent: true,
      body: topUpBody,
      answers: { 201: { description: 'The payment, and where to pay if it is still to be paid.', json: paymentShape } },
      problems: ['not_found', 'conflict', 'unavailable', 'not_available'],
    },
    async ({ identity, body, operation_id, now }) => {
      const account_id = accountOf(identity);
      if (provider === null) throw new Problem('not_available', 'No payments are taken here.');
      if (body.policy_version !== undefined && body.policy_version !== PAYMENT_POLICY.version) {
        throw new Problem('conflict', 'Another payment policy is in force. Read it and ask again.');
      }
      const wallet = await payingWallet(context.pool, account_id);
      if (wallet === null) throw new Problem('not_found', 'The account has no wallet.');
      refuseOddAmount(body.amount_micros, wallet.currency);
      if (body.method_id !== null) await mustHaveMethod(context, account_id, provider.name, body.method_id);
      const { amount_micros, method_id, save_method } = body;
      const wish = { id: operation_id, account_id, ...wallet, amount_micros, method_id, save_method };
      const started = await startPayment(context, provider, { ...wish, purpose: 'top_up' }, now);
      return { status: 201, body: shownPayment(startedOrRefused(started)) };
    },
  );
}

function refuseOddAmount(amount_micros: bigint, of_currency: string): void {
  if (centsOf(amount_micros, of_currency) === null) {
    throw new Problem('invalid', 'A payment is of whole cents of the wallet’s currency.');
  }
  if (amount_micros > TOP_UP_MAX_MICROS) {
    throw new Problem('invalid', 'A payment is of at most 10,000 units. Pay in several parts.');
  }
}

async function mustHaveMethod(
  { pool }: PortalContext,
  account_id: string,
  provider: string,
  method_id: string,
): Promise<void> {
  if ((await findMethod(pool, account_id, provider, method_id)) === null) {
    throw new Problem('not_found', 'There is no such card.');
  }
}

export function startedOrRefused(started: Started): Attempt {
  switch (started.kind) {
    case 'started':
      return started.attempt;
    case 'under_way':
      throw new Problem('conflict', 'Another payment for this wallet is under way.');
    case 'unavailable':
      throw new Problem('unavailable', 'The payment provider does not answer. Ask again with the same key.', {
        retry_after_seconds: 5,
      });
  }
}

const withId = z.object({ payment_id: uuid });

function retryPayment(context: PaymentsContext, provider: PaymentProvider | null): Route {
  return route(
    {
      method: 'post',
      path: '/v1/payments/{payment_id}/retry',
      operation_id: 'retry_payment',
      summary: 'Try a payment that failed once more, with the same card or on the provider’s page.',
      tag: 'payments',
      policy: { customer: WHO_PAYS },
      idempotent: true,
      params: withId,
      answers: { 201: { description: 'Another payment of the same amount.', json: paymentShape } },
      problems: ['not_found', 'conflict', 'unavailable', 'not_available'],
    },
    async ({ identity, params, operation_id, now }) => {
      if (provider === null) throw new Problem('not_available', 'No payments are taken here.');
      const failed = await ownAttempt(context, accountOf(identity), params.payment_id);
      if (failed.state !== 'failed' && failed.state !== 'cancelled') {
        throw new Problem('conflict', 'Only a payment that failed is tried again.');
      }
      const { account_id, wallet_id, amount_micros, save_method } = failed;
      const kept =
        failed.method_id === null ? null : await findMethod(context.pool, account_id, provider.name, failed.method_id);
      const wish = { id: operation_id, account_id, wallet_id, currency: failed.currency, amount_micros, save_method };
      const started = await startPayment(
        ...[context, provider, { ...wish, method_id: kept?.id ?? null, purpose: 'top_up' as const }, now],
      );
      return { status: 201, body: shownPayment(startedOrRefused(started)) };
    },
  );
}

function listPayments({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/payments',
      operation_id: 'list_payments',
      summary: 'Your payments, the latest first.',
      tag: 'payments',
      policy: { customer: WHO_PAYS },
      query: pageQuery,
      answers: { 200: { description: 'A page of them.', json: pageOf(paymentShape) } },
    },
    async ({ identity, query }) => {
      const before = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), uuid]));
      const rows = await listAttempts(pool, accountOf(identity), before, query.limit + 1);
      const key = ({ created_at, id }: Attempt) => [created_at.toISOString(), id];
      return { status: 200, body: page(rows, query.limit, { key, item: shownPayment }) };
    },
  );
}

function readPayment(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/payments/{payment_id}',
      operation_id: 'read_payment',
      summary: 'How a payment stands.',
      tag: 'payments',
      policy: { customer: WHO_PAYS },
      params: withId,
      answers: { 200: { description: 'The payment.', json: paymentShape } },
      problems: ['not_found'],
    },
    async ({ identity, params }) => {
      const attempt = await ownAttempt(context, accountOf(identity), params.payment_id);
      return { status: 200, body: shownPayment(attempt) };
    },
  );
}

async function ownAttempt({ pool }: PortalContext, account_id: string, id: string): Promise<Attempt> {
  const attempt = await findAttempt(pool, id);
  if (attempt?.account_id !== account_id) throw new Problem('not_found');
  return attempt;
}
