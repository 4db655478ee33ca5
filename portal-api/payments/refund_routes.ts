import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { timeQuery } from '../audit/view_on_record.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { currency, instantOut, line, microsIn, microsOut, uuid } from '../http/fields.ts';
import { mustBeOfAccount } from '../http/idempotency.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { WHO_PAYS } from '../identity/policy.ts';
import type { AdminRole } from '../identity/identity.ts';
import { needsSecond } from './approvals.ts';
import { payingWallet } from './attempts.ts';
import { centsOf } from './cents.ts';
import type { PayingWallet } from './debts.ts';
import { PAYMENT_POLICY } from './payment_policy.ts';
import type { PaymentProvider } from './payment_provider.ts';
import { planRefund } from './refund_plan.ts';
import { approveRefund, lockWallet, readRefunds, rejectRefund, requestRefund } from './refunds.ts';
import type { ApprovalVerdict, Refund, RefundWish } from './refunds.ts';
import { accountOf, adminActor, adminOf } from '../identity/whose.ts';

const FINANCE: readonly AdminRole[] = ['finance', 'owner'];

const partShape = z.object({ payment_id: uuid, amount_micros: microsOut });

const refundShape = z
  .object({
    refund_id: uuid,
    account_id: uuid,
    state: z.enum(['waiting', 'sending', 'paid', 'failed', 'rejected']),
    amount_micros: microsOut,
    currency,
    parts: z.array(partShape.extend({ state: z.enum(['waiting', 'paid', 'failed']) })),
    approvals_needed: z.int(),
    reason: z.string(),
    policy_version: z.string(),
    requested_at: instantOut,
  })
  .meta({ id: 'Refund' });

function shown(refund: Refund): z.input<typeof refundShape> {
  const { id, account_id, state, amount_micros, approvals_needed, reason, policy_version, requested_at } = refund;
  const parts = refund.parts.map(({ attempt_id, ...part }) => ({ payment_id: attempt_id, ...part }));
  return {
    ...{ refund_id: id, account_id, state, amount_micros, currency: refund.currency, parts, approvals_needed },
    ...{ reason, policy_version, requested_at },
  };
}

export function refundRoutes(context: PortalContext, provider: PaymentProvider | null): Route[] {
  return [
    previewRefund(context, provider),
    askForRefund(context, provider),
    listRefunds(context),
    refundAsAdmin(context, provider),
    listAllRefunds(context),
    approveAsAdmin(context),
    rejectAsAdmin(context),
  ];
}

const previewShape = z.object({
  /** What would be paid if it was asked for now: all of this, to where it came from. */
  refundable_micros: microsOut,
  currency,
  parts: z.array(partShape),
  /** Whether two of us have to agree to all of it. */
  needs_approval: z.boolean(),
  policy_version: z.string(),
});

async function walletOf({ pool }: PortalContext, account_id: string): Promise<PayingWallet> {
  const wallet = await payingWallet(pool, account_id);
  if (wallet === null) throw new Problem('not_found', 'The account has no wallet.');
  return { account_id, ...wallet };
}

function previewRefund(context: PortalContext, provider: PaymentProvider | null): Route {
  return route(
    {
      method: 'get',
      path: '/v1/refunds/preview',
      operation_id: 'preview_refund',
      summary: 'What of the wallet can go back to where it came from.',
      tag: 'payments',
      policy: { customer: WHO_PAYS },
      answers: { 200: { description: 'Exactly what would be paid.', json: previewShape } },
      problems: ['not_found'],
    },
    async ({ identity, now }) => {
      const wallet = await walletOf(context, accountOf(identity));
      const plan = await planRefund(context.pool, wallet, provider?.name ?? '', null, now);
      return {
        status: 200,
        body: {
          refundable_micros: plan.total_micros,
          currency: wallet.currency,
          parts: plan.parts.map(({ attempt_id, amount_micros }) => ({ payment_id: attempt_id, amount_micros })),
          needs_approval: await needsSecond(context, context.pool, ownMoney(wallet, plan.total_micros), now),
          policy_version: PAYMENT_POLICY.version,
        },
      };
    },
  );
}

function askForRefund(context: PortalContext, provider: PaymentProvider | null): Route {
  return route(
    {
      method: 'post',
      path: '/v1/refunds',
      operation_id: 'request_refund',
      summary: 'Get unspent money back. It leaves the wallet at once.',
      tag: 'payments',
      policy: { customer: WHO_PAYS, step_up: true },
      idempotent: true,
      /** At most what the preview said. */
      body: z.object({ amount_micros: microsIn }),
      answers: { 201: { description: 'The refund.', json: refundShape } },
      problems: ['not_found', 'no_money', 'unavailable', 'not_available'],
    },
    async ({ identity, body, operation_id, now }) => {
      const wallet = await walletOf(context, accountOf(identity));
      const by = { kind: 'customer' as const, id: identity.kind === 'customer' ? identity.user_id : '' };
      const wish = { id: operation_id, wallet, amount_micros: body.amount_micros, by };
      const refund = await request(context, provider, { ...wish, reason: 'asked for by the customer' }, now);
      return { status: 201, body: shown(refund) };
    },
  );
}

const ownMoney = ({ account_id }: PayingWallet, amount_micros: bigint) => ({
  ...{ account_id, amount_micros, by: 'customer' as const },
});

async function request(
  context: PortalContext,
  provider: PaymentProvider | null,
  asked: Omit<RefundWish, 'approvals_needed'>,
  now: Date,
): Promise<Refund> {
  const { pool } = context;
  if (provider === null) throw new Problem('not_available', 'No payments are taken here.');
  const { wallet, amount_micros, by } = asked;
  if (centsOf(amount_micros, wallet.currency) === null) {
    throw new Problem('invalid', 'A refund is of whole cents of the wallet’s currency.');
  }
  const verdict = await inTransaction(pool, async (tx) => {
    await lockWallet(tx, wallet.wallet_id);
    const gift = { account_id: wallet.account_id, amount_micros, by: by.kind };
    // What a customer wants back of their own waits for nobody, unless it is much.
    const approvals_needed = (await needsSecond(context, tx, gift, now)) ? 2 : by.kind === 'admin' ? 1 : 0;
    const requested = await requestRefund(tx, provider.name, { ...asked, approvals_needed }, now);
    if (requested === 'requested' && by.kind === 'admin') {
      await appendAudit(tx, {
        ...{ at: now, actor: { kind: 'admin', id: by.id }, action: 'refund.request' },
        ...{ account_id: wallet.account_id, subject: `refund:${asked.id}` },
        detail: { amount_micros: amount_micros.toString(), reason: asked.reason },
      });
    }
    return requested;
  });
  if (verdict === 'changed') throw new Problem('no_money', 'Less than that can go back by now. Ask for the preview.');
  const [refund] = await readRefunds(pool, { id: asked.id }, null, 1);
  if (refund === undefined) throw new Error(`The refund ${asked.id} is not there.`);
  mustBeOfAccount(refund.account_id, wallet.account_id);
  return refund;
}

const cursorKey = z.tuple([z.iso.datetime(), uuid]);
const keyOf = ({ requested_at, id }: Refund) => [requested_at.toISOString(), id];

function listRefunds({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/refunds',
      operation_id: 'list_refunds',
      summary: 'What was given back, the latest first.',
      tag: 'payments',
      policy: { customer: WHO_PAYS },
      query: pageQuery,
      answers: { 200: { description: 'A page of them.', json: pageOf(refundShape) } },
    },
    async ({ identity, query }) => {
      const account_id = accountOf(identity);
      const rows = await readRefunds(pool, { account_id }, decodeCursor(query.cursor, cursorKey), query.limit + 1);
      return { status: 200, body: page(rows, query.limit, { key: keyOf, item: shown }) };
    },
  );
}

/** As one of ours sees it. */
const adminRefundShape = refundShape.extend({
  requested_by_kind: z.enum(['customer', 'admin']),
  requested_by: uuid,
});

function listAllRefunds({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/refunds',
      operation_id: 'list_refunds_by_state',
      summary: 'Refunds of all accounts or of one by state: those that wait for approval by default.',
      tag: 'admin payments',
      policy: { admin: FINANCE },
      query: pageQuery.extend({
        state: z.enum([...refundShape.shape.state.options, 'all']).default('waiting'),
        account_id: uuid.optional(),
        /** When it was asked for. */
        ...timeQuery,
      }),
      answers: { 200: { description: 'The latest first.', json: pageOf(adminRefundShape) } },
    },
    async ({ query: { state, account_id, from, to, cursor, limit } }) => {
      const which = { account_id, from, to, ...(state === 'all' ? {} : { state }) };
      const rows = await readRefunds(pool, which, decodeCursor(cursor, cursorKey), limit + 1);
      const item = (refund: Refund): z.input<typeof adminRefundShape> => ({
        ...shown(refund),
        requested_by_kind: refund.requested_by_kind,
        requested_by: refund.requested_by,
      });
      return { status: 200, body: page(rows, limit, { key: keyOf, item }) };
    },
  );
}

function refundAsAdmin(context: PortalContext, provider: PaymentProvider | null): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/accounts/{account_id}/refunds',
      operation_id: 'refund_account',
      summary: 'Pay unspent money of a customer back. Above the limit another admin has to agree.',
      tag: 'admin payments',
      policy: { admin: FINANCE, step_up: true },
      idempotent: true,
      params: z.object({ account_id: uuid }),
      body: z.object({ amount_micros: microsIn, reason: line(500) }),
      answers: { 201: { description: 'The refund.', json: refundShape } },
      problems: ['not_found', 'no_money', 'unavailable', 'not_available'],
    },
    async ({ identity, params, body, operation_id, now }) => {
      const wallet = await walletOf(context, params.account_id);
      const { amount_micros, reason } = body;
      const by = { kind: 'admin' as const, id: adminOf(identity).user_id };
      const wish = { id: operation_id, wallet, amount_micros, by, reason };
      return { status: 201, body: shown(await request(context, provider, wish, now)) };
    },
  );
}

const withId = z.object({ refund_id: uuid });

export function refuseApproval(verdict: Exclude<ApprovalVerdict, 'approved'>): never {
  switch (verdict) {
    case 'not_found':
      throw new Problem('not_found');
    case 'not_waiting':
      throw new Problem('conflict', 'It does not wait for an approval any more.');
    case 'own':
      throw new Problem('second_approval_required', 'Somebody else than who asked for it has to approve it.');
    case 'twice':
      throw new Problem('second_approval_required', 'You have approved it before; another admin has to as well.');
  }
}

function approveAsAdmin({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/refunds/{refund_id}/approve',
      operation_id: 'approve_refund',
      summary: 'Agree to a refund that somebody else asked for.',
      tag: 'admin payments',
      policy: { admin: FINANCE, step_up: true },
      params: withId,
      answers: { 200: { description: 'The refund.', json: refundShape } },
      problems: ['not_found', 'conflict', 'second_approval_required'],
    },
    async ({ identity, params, now }) => {
      const admin_id = adminOf(identity).user_id;
      const verdict = await inTransaction(pool, async (tx) => {
        const approved = await approveRefund(tx, params.refund_id, admin_id, now);
        if (approved.verdict === 'approved') {
          await appendAudit(tx, {
            ...{ at: now, actor: { kind: 'admin', id: admin_id }, action: 'refund.approve' },
            ...{ account_id: approved.account_id, subject: `refund:${params.refund_id}` },
          });
        }
        return approved.verdict;
      });
      if (verdict !== 'approved') refuseApproval(verdict);
      return { status: 200, body: await shownRefund(pool, params.refund_id) };
    },
  );
}

function rejectAsAdmin({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/refunds/{refund_id}/reject',
      operation_id: 'reject_refund',
      summary: 'Refuse a refund that waits. The money is back in the wallet.',
      tag: 'admin payments',
      policy: { admin: FINANCE, step_up: true },
      params: withId,
      body: z.object({ reason: line(500) }),
      answers: { 200: { description: 'The refund.', json: refundShape } },
      problems: ['not_found', 'conflict'],
    },
    async ({ identity, params, body, now }) => {
      await inTransaction(pool, async (tx) => {
        const refund = await rejectRefund(tx, params.refund_id, now);
        if (refund === null) throw new Problem('conflict', 'No refund of this id waits for a decision.');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'refund.reject' },
          ...{ account_id: refund.account_id, subject: `refund:${refund.id}`, detail: { reason: body.reason } },
        });
      });
      return { status: 200, body: await shownRefund(pool, params.refund_id) };
    },
  );
}

async function shownRefund(pool: PortalContext['pool'], id: string): Promise<z.input<typeof refundShape>> {
  const [refund] = await readRefunds(pool, { id }, null, 1);
  if (refund === undefined) throw new Problem('not_found');
  return shown(refund);
}
