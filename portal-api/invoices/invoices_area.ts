import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { Area, PortalContext } from '../context.ts';
import { uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { WHO_PAYS } from '../identity/policy.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { payingWallet } from '../payments/attempts.ts';
import { accountOf, adminActor } from '../identity/whose.ts';
import { billingFields, ensureBillingProfile, saveBillingProfile } from './billing_profile.ts';
import { invoiceDeskRoutes } from './invoice_desk_routes.ts';
import { invoiceRoutes, invoiceShape, shownInvoice } from './invoice_routes.ts';
import { makeInvoice } from './make_invoice.ts';
import { findInvoice } from './read_invoices.ts';

const WALLETS_AT_ONCE = 100;

/** Invoices of months, receipts of payments, and whom they are made out to. */
export function invoicesArea(context: PortalContext): Area {
  return {
    routes: [
      ...invoiceRoutes(context),
      ...invoiceDeskRoutes(context),
      ...[readProfile(context), writeProfile(context), billNow(context)],
    ],
    tasks: invoiceTasks(context),
  };
}

function invoiceTasks(context: PortalContext): Task[] {
  const payload = z.object({ wallet_id: z.string().regex(/^\d{1,18}$/u), month: z.iso.date() });
  return [
    task('invoice_look', z.object({}).loose(), () => lookForMonths(context), '20 * * * *'),
    task('make_invoice', payload, async ({ wallet_id, month }) => {
      await makeInvoice(context, { wallet_id: BigInt(wallet_id), month, until: null }, context.now());
    }),
  ];
}

/** Has the month before this one billed, where it is over in the account's own zone and is not billed yet. */
async function lookForMonths({ pool, now }: PortalContext): Promise<void> {
  const at = now();
  for (let after = '0'; ;) {
    const wallets = await lookAtWallets(pool, after, at);
    for (const { wallet_id, month, is_due } of wallets) {
      if (!is_due) continue;
      const key = `make_invoice:${wallet_id}:${month}`;
      await enqueue(pool, { task: 'make_invoice', payload: { wallet_id, month }, key });
    }
    const last = wallets.at(-1);
    if (last === undefined || wallets.length < WALLETS_AT_ONCE) return;
    after = last.wallet_id;
  }
}

interface LookedAt {
  wallet_id: string;
  month: string;
  is_due: boolean;
}

/** The next wallets by their ids, so many that one statement has time for them. */
async function lookAtWallets(db: Queryable, after: string, now: Date): Promise<LookedAt[]> {
  const { rows } = await db.query<LookedAt>(
    `select w.id as wallet_id, m.month::text as month,
            not exists (select 1 from invoice i where i.wallet_id = w.id and i.month = m.month)
              and coalesce(billable_since(w.id) < (m.month + interval '1 month') at time zone a.time_zone, false) as is_due
       from (select id, account_id from wallet where id > $2 order by id limit $3) w join account a on a.id = w.account_id
            cross join lateral (select (date_trunc('month', $1::timestamptz at time zone a.time_zone) - interval '1 month')::date as month) m
      order by w.id`,
    [now, after, WALLETS_AT_ONCE],
  );
  return rows;
}

const profileShape = billingFields.extend({ version: z.int() });

function readProfile(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/billing-profile',
      operation_id: 'read_billing_profile',
      summary: 'Whom invoices are made out to.',
      tag: 'invoices',
      policy: { customer: WHO_PAYS },
      answers: { 200: { description: 'The profile.', json: profileShape } },
    },
    async ({ identity, now }) => {
      const profile = await inTransaction(context.pool, (tx) =>
        ensureBillingProfile(context, tx, accountOf(identity), now),
      );
      const { fields, version } = profile;
      return { status: 200, body: { ...fields, version }, version };
    },
  );
}

function writeProfile(context: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/billing-profile',
      operation_id: 'write_billing_profile',
      summary: 'Have the next invoices made out to somebody else. Those that were issued stay as they are.',
      tag: 'invoices',
      policy: { customer: WHO_PAYS },
      versioned: true,
      body: billingFields,
      answers: { 200: { description: 'The profile.', json: profileShape } },
    },
    async ({ identity, body, version: expected, now }) => {
      const account_id = accountOf(identity);
      const version = await inTransaction(context.pool, async (tx) => {
        const profile = await ensureBillingProfile(context, tx, account_id, now);
        return saveBillingProfile(tx, account_id, profile, body, expected ?? 0);
      });
      if (version === null) throw new Problem('version_conflict');
      return { status: 200, body: { ...body, version }, version };
    },
  );
}

function billNow(context: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/accounts/{account_id}/invoices',
      operation_id: 'bill_account_now',
      summary: 'Bill what is not billed yet before the month is over: for an account that ends.',
      tag: 'admin payments',
      policy: { admin: ['finance', 'owner'] },
      params: z.object({ account_id: uuid }),
      answers: { 201: { description: 'The invoice.', json: invoiceShape } },
      problems: ['not_found', 'conflict'],
    },
    async ({ identity, params: { account_id }, now }) => {
      const { pool } = context;
      const wallet = await payingWallet(pool, account_id);
      if (wallet === null) throw new Problem('not_found');
      const month = await currentMonth(context, account_id, now);
      const made = await makeInvoice(context, { wallet_id: wallet.wallet_id, month, until: now }, now);
      if (made.kind === 'there_already')
        throw new Problem('conflict', 'This month is billed; the rest is billed next month.');
      if (made.kind === 'nothing_to_bill') throw new Problem('conflict', 'There is nothing to bill.');
      await inTransaction(pool, (tx) =>
        appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'invoice.make' },
          ...{ account_id, subject: `invoice:${made.invoice_id}` },
        }),
      );
      const invoice = await findInvoice(pool, account_id, made.invoice_id);
      if (invoice === null) throw new Problem('not_found');
      return { status: 201, body: shownInvoice(invoice) };
    },
  );
}

async function currentMonth({ pool }: PortalContext, account_id: string, now: Date): Promise<string> {
  const { rows } = await pool.query<{ month: string }>(
    `select date_trunc('month', $2::timestamptz at time zone time_zone)::date::text as month from account where id = $1`,
    [account_id, now],
  );
  return rows[0]?.month ?? '';
}
