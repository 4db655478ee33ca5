import { z } from 'zod';
import { timeQuery, viewOnRecord, viewQuery } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf } from '../http/cursor.ts';
import { line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Asked, Route, RouteShape } from '../http/route.ts';
import { invoiceShape, pdfOf, shownInvoice } from './invoice_routes.ts';
import { findInvoice, listInvoices } from './read_invoices.ts';
import type { Invoice } from './read_invoices.ts';

const policy = { admin: ['finance', 'owner'] } as const;
const tag = 'admin payments';
const params = z.object({ invoice_id: uuid });
const query = z.object({ purpose: line(500) });

const shape = invoiceShape.extend({ account_id: uuid }).meta({ id: 'InvoiceAtTheDesk' });
const shown = (invoice: Invoice): z.input<typeof shape> => ({
  ...shownInvoice(invoice),
  account_id: invoice.account_id,
});

/** The documents of everybody, as finance sees them. */
export function invoiceDeskRoutes(context: PortalContext): Route[] {
  return [list(context), read(context), asPdf(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/invoices',
      operation_id: 'admin_list_invoices',
      summary: 'Invoices, receipts, credit notes and debit notes of all accounts or of one.',
      tag,
      policy,
      query: viewQuery.extend({
        kind: invoiceShape.shape.kind.optional(),
        /** As it stands on the document. */
        number: line(40).optional(),
        /** When it was issued. */
        ...timeQuery,
      }),
      answers: { 200: { description: 'The latest first.', json: pageOf(shape) } },
    },
    async ({ query: { account_id = null, kind, number, from, to, purpose, ...paging }, identity, now }) => {
      const before = decodeCursor(paging.cursor, z.tuple([z.iso.datetime(), uuid]));
      const view = { action: 'invoices.view', account_id, subject: 'invoices', purpose };
      const rows = await viewOnRecord(pool, { identity, now }, view, (tx) =>
        listInvoices(tx, { account_id, kind, number, from, to }, before, paging.limit + 1),
      );
      const key = ({ issued_at, id }: Invoice) => [issued_at.toISOString(), id];
      return { status: 200, body: page(rows, paging.limit, { key, item: shown }) };
    },
  );
}

function read(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/invoices/{invoice_id}',
      operation_id: 'admin_read_invoice',
      summary: 'One of them.',
      tag,
      policy,
      params,
      query,
      answers: { 200: { description: 'The document’s figures.', json: shape } },
      problems: ['not_found'],
    },
    async (asked) => ({ status: 200, body: shown(await seenInvoice(context, asked, 'invoice.view')) }),
  );
}

function asPdf(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/invoices/{invoice_id}/pdf',
      operation_id: 'admin_download_invoice',
      summary: 'What the customer has, with whom it is made out to and each line of it.',
      tag,
      policy,
      pace: 'costly',
      params,
      query,
      answers: { 200: { description: 'The PDF.', media: 'application/pdf' } },
      problems: ['not_found'],
    },
    async (asked) => {
      const invoice = await seenInvoice(context, asked, 'invoice.download');
      return { status: 200, ...(await pdfOf(context, invoice)) };
    },
  );
}

type Asking = Pick<
  Asked<RouteShape & { params: typeof params; query: typeof query }>,
  'params' | 'query' | 'identity' | 'now'
>;

/** On record before anything of it is shown. */
async function seenInvoice(
  { pool }: PortalContext,
  { params: { invoice_id }, query: { purpose }, identity, now }: Asking,
  action: string,
): Promise<Invoice & { buyer_sealed: Buffer }> {
  const invoice = await findInvoice(pool, null, invoice_id);
  if (invoice === null) throw new Problem('not_found');
  const view = { action, account_id: invoice.account_id, subject: `invoice:${invoice_id}`, purpose };
  return viewOnRecord(pool, { identity, now }, view, () => Promise.resolve(invoice));
}
