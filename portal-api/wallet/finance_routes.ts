import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { giveBack } from '../../domain/ledger/give_back.ts';
import type { GivenBack } from '../../domain/ledger/give_back.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { currency, instant, instantOut, line, microsIn, microsOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { AdminRole } from '../identity/identity.ts';
import { documentOf, issueNote } from '../invoices/issue_note.ts';
import { needsSecond, secondApprovalAbove } from '../payments/approvals.ts';
import { payingWallet } from '../payments/attempts.ts';
import { cashCame } from '../payments/cash_came.ts';
import { refuseApproval } from '../payments/refund_routes.ts';
import { lockWallet } from '../payments/refunds.ts';
import { adminActor, adminOf } from '../identity/whose.ts';
import { approveOrder, giveOrder, readOrders, rejectOrder } from './finance_orders.ts';
import type { FinanceOrder } from './finance_orders.ts';

const FINANCE: readonly AdminRole[] = ['finance', 'owner'];
const micros_or_none = z
  .string()
  .regex(/^(?:0|[1-9][0-9]{0,14})$/u)
  .transform(BigInt);

const orderShape = z
  .object({
    finance_order_id: uuid,
    account_id: uuid,
    kind: z.enum(['credit', 'debit', 'promo']),
    net_micros: microsOut,
    tax_micros: microsOut,
    currency,
    expires_at: instantOut.nullable(),
    reason: z.string(),
    state: z.enum(['waiting', 'posted', 'rejected']),
    approvals_needed: z.int(),
    requested_by: uuid,
    requested_at: instantOut,
    /** The invoice that a correction is about; null where it is about the wallet as a whole. */
    corrects_invoice_id: uuid.nullable(),
    /** Its credit note or debit note among the invoices; null until it is posted, and for promo credit. */
    document_id: uuid.nullable(),
  })
  .meta({ id: 'FinanceOrder' });

function shown(order: FinanceOrder): z.input<typeof orderShape> {
  const { id, account_id, kind, net_micros, tax_micros, expires_at, reason, state } = order;
  const { approvals_needed, requested_by, requested_at, corrects_invoice_id, document_id } = order;
  return {
    ...{ finance_order_id: id, account_id, kind, net_micros, tax_micros, currency: order.currency, expires_at, reason },
    ...{ state, approvals_needed, requested_by, requested_at, corrects_invoice_id, document_id },
  };
}

/** What finance corrects and gives. */
export function financeRoutes(context: PortalContext): Route[] {
  return [
    adjust(context),
    grantPromo(context),
    listOrders(context),
    approveAsAdmin(context),
    rejectAsAdmin(context),
    creditCharge(context),
  ];
}

const ofAccount = z.object({ account_id: uuid });

function adjust(context: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/accounts/{account_id}/adjustments',
      operation_id: 'adjust_wallet',
      summary: 'Correct a wallet, with a credit note or debit note. Above the limit another admin has to agree.',
      tag: 'admin payments',
      policy: { admin: FINANCE, step_up: true },
      idempotent: true,
      params: ofAccount,
      body: z.object({
        direction: z.enum(['credit', 'debit']),
        net_micros: microsIn,
        tax_micros: micros_or_none,
        reason: line(500),
        /** The customer's invoice that it corrects, if it is about one. */
        corrects_invoice_id: uuid.nullable().default(null),
      }),
      answers: { 201: { description: 'Posted, or waiting for approval.', json: orderShape } },
      problems: ['not_found', 'no_money'],
    },
    async ({ identity, params, body, operation_id, now }) => {
      const { direction, ...amounts } = body;
      await ownInvoiceOnly(context.pool, params.account_id, body.corrects_invoice_id);
      const admin_id = adminOf(identity).user_id;
      const wish = { id: operation_id, account_id: params.account_id, kind: direction, ...amounts, expires_at: null };
      return { status: 201, body: await give(context, { ...wish, requested_by: admin_id }, now) };
    },
  );
}

function grantPromo(context: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/accounts/{account_id}/promo-credits',
      operation_id: 'grant_promo_credit',
      summary: 'Give promo credit that ends. Above the limit another admin has to agree.',
      tag: 'admin payments',
      policy: { admin: FINANCE, step_up: true },
      idempotent: true,
      params: ofAccount,
      body: z.object({ amount_micros: microsIn, expires_at: instant, reason: line(500) }),
      answers: { 201: { description: 'Posted, or waiting for approval.', json: orderShape } },
      problems: ['not_found'],
    },
    async ({ identity, params, body, operation_id, now }) => {
      const expires_at = new Date(body.expires_at);
      if (expires_at <= now) throw new Problem('invalid', 'Promo credit ends later than now.');
      const wish = { id: operation_id, account_id: params.account_id, kind: 'promo' as const, reason: body.reason };
      const amounts = { net_micros: body.amount_micros, tax_micros: 0n, expires_at, corrects_invoice_id: null };
      const requested_by = adminOf(identity).user_id;
      return { status: 201, body: await give(context, { ...wish, ...amounts, requested_by }, now) };
    },
  );
}

async function ownInvoiceOnly(db: Queryable, account_id: string, invoice_id: string | null): Promise<void> {
  if (invoice_id === null) return;
  const { rows } = await db.query('select 1 from invoice where id = $1 and account_id = $2', [invoice_id, account_id]);
  if (rows.length === 0) throw new Problem('not_found', 'This account has no such invoice.');
}

type Wish = Omit<
  FinanceOrder,
  'wallet_id' | 'currency' | 'state' | 'approvals_needed' | 'requested_at' | 'document_id'
>;

async function give(context: PortalContext, wish: Wish, now: Date): Promise<z.input<typeof orderShape>> {
  const { pool } = context;
  const wallet = await payingWallet(pool, wish.account_id);
  if (wallet === null) throw new Problem('not_found');
  const { account_id } = wish;
  const amount_micros = wish.net_micros + wish.tax_micros;
  await inTransaction(pool, async (tx) => {
    await lockWallet(tx, wallet.wallet_id);
    const needs_second =
      wish.kind === 'debit'
        ? amount_micros > secondApprovalAbove(context)
        : await needsSecond(context, tx, { account_id, amount_micros, by: 'admin' }, now);
    const approvals_needed = needs_second ? 2 : 1;
    const verdict = await giveOrder(context, tx, { ...wish, ...wallet, approvals_needed }, now);
    if (verdict === 'no_money') throw new Problem('no_money', 'The wallet holds less than that.');
    await appendAudit(tx, {
      ...{ at: now, actor: { kind: 'admin', id: wish.requested_by }, action: `wallet.${wish.kind}` },
      ...{ account_id: wish.account_id, subject: `finance_order:${wish.id}` },
      detail: { net_micros: wish.net_micros.toString(), tax_micros: wish.tax_micros.toString(), reason: wish.reason },
    });
  });
  return shownOrder(pool, wish.id);
}

async function shownOrder(pool: PortalContext['pool'], id: string): Promise<z.input<typeof orderShape>> {
  const [order] = await readOrders(pool, { id }, null, 1);
  if (order === undefined) throw new Problem('not_found');
  return shown(order);
}

function listOrders({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/finance-orders',
      operation_id: 'list_finance_orders',
      summary: 'Corrections and promo credit of all accounts or of one by state: those that wait by default.',
      tag: 'admin payments',
      policy: { admin: FINANCE },
      query: pageQuery.extend({
        state: z.enum([...orderShape.shape.state.options, 'all']).default('waiting'),
        account_id: uuid.optional(),
      }),
      answers: { 200: { description: 'The latest first.', json: pageOf(orderShape) } },
    },
    async ({ query: { state, account_id, cursor, limit } }) => {
      const before = decodeCursor(cursor, z.tuple([z.iso.datetime(), uuid]));
      const which = { account_id, ...(state === 'all' ? {} : { state }) };
      const rows = await readOrders(pool, which, before, limit + 1);
      const key = ({ requested_at, id }: FinanceOrder) => [requested_at.toISOString(), id];
      return { status: 200, body: page(rows, limit, { key, item: shown }) };
    },
  );
}

const withId = z.object({ finance_order_id: uuid });

function approveAsAdmin(context: PortalContext): Route {
  const { pool } = context;
  return route(
    {
      method: 'post',
      path: '/v1/admin/finance-orders/{finance_order_id}/approve',
      operation_id: 'approve_finance_order',
      summary: 'Agree to what somebody else asked for.',
      tag: 'admin payments',
      policy: { admin: FINANCE, step_up: true },
      params: withId,
      answers: { 200: { description: 'As it is now.', json: orderShape } },
      problems: ['not_found', 'conflict', 'second_approval_required', 'no_money'],
    },
    async ({ identity, params, now }) => {
      const admin_id = adminOf(identity).user_id;
      await inTransaction(pool, async (tx) => {
        const { verdict, account_id } = await approveOrder(context, tx, params.finance_order_id, admin_id, now);
        if (verdict === 'no_money') throw new Problem('no_money', 'The wallet holds less than that by now.');
        if (verdict !== 'approved') refuseApproval(verdict);
        await appendAudit(tx, {
          ...{ at: now, actor: { kind: 'admin', id: admin_id }, action: 'finance_order.approve', account_id },
          subject: `finance_order:${params.finance_order_id}`,
        });
      });
      return { status: 200, body: await shownOrder(pool, params.finance_order_id) };
    },
  );
}

function rejectAsAdmin({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/finance-orders/{finance_order_id}/reject',
      operation_id: 'reject_finance_order',
      summary: 'Refuse what somebody asked for.',
      tag: 'admin payments',
      policy: { admin: FINANCE, step_up: true },
      params: withId,
      body: z.object({ reason: line(500) }),
      answers: { 200: { description: 'As it is now.', json: orderShape } },
      problems: ['not_found', 'conflict'],
    },
    async ({ identity, params, body, now }) => {
      await inTransaction(pool, async (tx) => {
        const account_id = await rejectOrder(tx, params.finance_order_id);
        if (account_id === null) throw new Problem('conflict', 'Nothing of this id waits for a decision.');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'finance_order.reject' },
          ...{ account_id, subject: `finance_order:${params.finance_order_id}`, detail: { reason: body.reason } },
        });
      });
      return { status: 200, body: await shownOrder(pool, params.finance_order_id) };
    },
  );
}

function creditCharge(context: PortalContext): Route {
  const { pool } = context;
  return route(
    {
      method: 'post',
      path: '/v1/admin/accounts/{account_id}/credit-notes',
      operation_id: 'credit_charge',
      summary: 'Give back some or all of a purchase or a renewal, with a credit note.',
      tag: 'admin payments',
      policy: { admin: FINANCE, step_up: true },
      idempotent: true,
      params: ofAccount,
      body: z.object({
        charge_kind: z.enum(['purchase', 'renewal']),
        charge_ref: uuid,
        net_micros: microsIn,
        tax_micros: micros_or_none,
        reason: line(500),
      }),
      answers: { 201: { description: 'Credited.', json: z.object({ credit_note_ref: uuid, document_id: uuid }) } },
      problems: ['not_found', 'conflict', 'second_approval_required'],
    },
    async ({ identity, params, body, operation_id, now }) => {
      const { charge_kind, charge_ref, net_micros, tax_micros, reason } = body;
      const document_id = await inTransaction(pool, async (tx) => {
        // Asked for again it is answered as it was, and is no second gift.
        const before = await documentOf(tx, { kind: 'credit_note', ref: operation_id });
        if (before !== null) return before;
        const { rows } = await tx.query<{ wallet_id: string }>(
          `select w.id as wallet_id from ledger_tx t join wallet w on w.id = (t.content ->> 'wallet_id')::bigint
            where t.kind = $1 and t.ref = $2 and w.account_id = $3`,
          [charge_kind, charge_ref, params.account_id],
        );
        const [charged] = rows;
        if (charged === undefined) throw new Problem('not_found', 'There is no such charge of this account.');
        await lockWallet(tx, BigInt(charged.wallet_id));
        await refuseAlone(context, tx, { account_id: params.account_id, amount_micros: net_micros + tax_micros }, now);
        const amounts = { net_micros, tax_micros };
        const credit = { ref: operation_id, charge_kind, charge_ref, ...amounts, content: { what: reason } };
        const made = await creditWithNote(context, tx, params.account_id, credit, reason, now);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'charge.credit' },
          ...{ account_id: params.account_id, subject: `${charge_kind}:${charge_ref}`, detail: { reason } },
        });
        return made;
      });
      return { status: 201, body: { credit_note_ref: operation_id, document_id } };
    },
  );
}

async function refuseAlone(
  context: PortalContext,
  tx: Transaction,
  gift: { account_id: string; amount_micros: bigint },
  now: Date,
): Promise<void> {
  if (!(await needsSecond(context, tx, { ...gift, by: 'admin' }, now))) return;
  throw new Problem(
    'second_approval_required',
    'Two of us have to agree to as much. Ask for a correction of the wallet, which another one can approve.',
  );
}

/** The credit note's id: of the one that was issued before, where it was credited before. */
async function creditWithNote(
  context: PortalContext,
  tx: Transaction,
  account_id: string,
  credit: GivenBack,
  reason: string,
  now: Date,
): Promise<string> {
  const { ref, charge_kind, charge_ref, net_micros, tax_micros } = credit;
  const verdict = await giveBack(tx, credit);
  if (verdict === 'too_much') throw new Problem('conflict', 'That is more than was paid and not credited yet.');
  const posted = { kind: 'credit_note', ref } as const;
  const before = await documentOf(tx, posted);
  if (before !== null) return before;
  const { rows } = await tx.query<{ wallet_id: string; currency: string }>(
    `select w.id as wallet_id, w.currency from ledger_tx t join wallet w on w.id = (t.content ->> 'wallet_id')::bigint
      where t.kind = $1 and t.ref = $2`,
    [charge_kind, charge_ref],
  );
  const [wallet] = rows;
  if (wallet === undefined) throw new Error(`The charge ${charge_ref} is of no wallet.`);
  const wallet_id = BigInt(wallet.wallet_id);
  await cashCame(tx, { account_id, wallet_id, currency: wallet.currency }, ref, now);
  const line = { tx: posted, item: ref, what: `Credit: ${reason}`, explained: { charge_kind, charge_ref } };
  const corrects_invoice_id = await documentOf(tx, { kind: charge_kind, ref: charge_ref });
  const { invoice_id } = await issueNote(
    context,
    tx,
    {
      ...{ account_id, wallet_id, currency: wallet.currency, corrects_invoice_id },
      ...{ corrects: 'charges', lines: [{ ...line, net_micros: -net_micros, tax_micros: -tax_micros }] },
    },
    now,
  );
  return invoice_id;
}
