import { Readable } from 'node:stream';
import { z } from 'zod';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { currency, instantOut, microsOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { WHO_PAYS } from '../identity/policy.ts';
import { accountOf } from '../identity/whose.ts';
import { openBuyer } from './billing_profile.ts';
import { invoicePdf } from './invoice_pdf.ts';
import { allLines, findInvoice, listInvoices, listLines } from './read_invoices.ts';
import type { Invoice, InvoiceLine } from './read_invoices.ts';

/** A PDF of more lines is no use to anybody; all of them are in the list. */
const PDF_LINES_MAX = 20_000;

export const invoiceShape = z
  .object({
    invoice_id: uuid,
    number: z.string(),
    kind: z.enum(['invoice', 'receipt', 'credit_note', 'debit_note']),
    currency,
    /** The first day of the month that it is of; null for a receipt, and for a note that is of no month. */
    month: z.iso.date().nullable(),
    period_from: instantOut.nullable(),
    period_to: instantOut.nullable(),
    /** The payment that a receipt is for. */
    payment_id: uuid.nullable(),
    /** The invoice, or the receipt of the payment, that a note corrects; null where it is about the wallet as a whole. */
    corrects: z.object({ invoice_id: uuid, number: z.string() }).nullable(),
    issued_at: instantOut,
    line_count: z.int(),
    net_micros: microsOut,
    tax_micros: microsOut,
    /** To whole cents, in the customer's favour; the difference was put into the wallet. */
    rounding_micros: microsOut,
    total_micros: microsOut,
  })
  .meta({ id: 'Invoice' });

const lineShape = z
  .object({
    n: z.int(),
    kind: z.string(),
    at: instantOut,
    item: uuid,
    what: z.string(),
    quantity: z.int(),
    unit: z.enum(['second', 'segment', 'piece']),
    /** How the amount came about: the row of the rate deck with its version, increments, seconds of packs. */
    explained: z.record(z.string(), z.unknown()),
    net_micros: microsOut,
    tax_micros: microsOut,
  })
  .meta({ id: 'InvoiceLine' });

export function shownInvoice(invoice: Invoice): z.input<typeof invoiceShape> {
  const { id, number, kind, month, period_from, period_to, attempt_id, issued_at, line_count } = invoice;
  const { net_micros, tax_micros, rounding_micros, total_micros, corrects_invoice_id, corrects_number } = invoice;
  const corrects =
    corrects_invoice_id === null || corrects_number === null
      ? null
      : { invoice_id: corrects_invoice_id, number: corrects_number };
  return {
    ...{ invoice_id: id, number, kind, currency: invoice.currency, month, period_from, period_to },
    ...{
      payment_id: attempt_id,
      corrects,
      issued_at,
      line_count,
      net_micros,
      tax_micros,
      rounding_micros,
      total_micros,
    },
  };
}

const policy = { customer: WHO_PAYS };
const withId = z.object({ invoice_id: uuid });

export function invoiceRoutes(context: PortalContext): Route[] {
  return [list(context), read(context), lines(context), linesAsCsv(context), asPdf(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/invoices',
      operation_id: 'list_invoices',
      summary: 'Invoices, receipts, credit notes and debit notes, the latest first.',
      tag: 'invoices',
      policy,
      query: pageQuery,
      answers: { 200: { description: 'A page of them.', json: pageOf(invoiceShape) } },
    },
    async ({ identity, query }) => {
      const before = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), uuid]));
      const rows = await listInvoices(pool, { account_id: accountOf(identity) }, before, query.limit + 1);
      const key = ({ issued_at, id }: Invoice) => [issued_at.toISOString(), id];
      return { status: 200, body: page(rows, query.limit, { key, item: shownInvoice }) };
    },
  );
}

function read(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/invoices/{invoice_id}',
      operation_id: 'read_invoice',
      summary: 'One of them.',
      tag: 'invoices',
      policy,
      params: withId,
      answers: { 200: { description: 'The invoice.', json: invoiceShape } },
      problems: ['not_found'],
    },
    async ({ identity, params }) => {
      const invoice = await ownInvoice(context, accountOf(identity), params.invoice_id);
      return { status: 200, body: shownInvoice(invoice) };
    },
  );
}

function lines(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/invoices/{invoice_id}/lines',
      operation_id: 'list_invoice_lines',
      summary: 'Every call, text and charge of an invoice, explained.',
      tag: 'invoices',
      policy,
      params: withId,
      query: pageQuery,
      answers: { 200: { description: 'In the order of time.', json: pageOf(lineShape) } },
      problems: ['not_found'],
    },
    async ({ identity, params, query }) => {
      const { id } = await ownInvoice(context, accountOf(identity), params.invoice_id);
      const [after] = decodeCursor(query.cursor, z.tuple([z.int().min(0).max(2_147_483_647)])) ?? [0];
      const rows = await listLines(context.pool, id, after, query.limit + 1);
      return { status: 200, body: page(rows, query.limit, { key: ({ n }) => [n], item: (line) => line }) };
    },
  );
}

const CSV_HEAD =
  'n,kind,at,item,what,quantity,unit,deck,deck_version,prefix,net_micros,tax_micros,currency,pack,pack_seconds';

function linesAsCsv(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/invoices/{invoice_id}/lines.csv',
      operation_id: 'download_invoice_lines',
      summary: 'All lines of an invoice as a table.',
      tag: 'invoices',
      policy,
      pace: 'costly',
      params: withId,
      answers: { 200: { description: 'Comma separated, as it is read.', media: 'text/csv' } },
      problems: ['not_found'],
    },
    async ({ identity, params }) => {
      const invoice = await ownInvoice(context, accountOf(identity), params.invoice_id);
      const headers = {
        'content-type': 'text/csv; charset=utf-8',
        'content-disposition': `attachment; filename="${invoice.number}.csv"`,
      };
      return { status: 200, bytes: Readable.from(csvOf(context, invoice)), headers };
    },
  );
}

async function* csvOf({ pool }: PortalContext, { id, currency: of_currency }: Invoice): AsyncGenerator<string> {
  yield `${CSV_HEAD}\r\n`;
  for await (const line of allLines(pool, id, Number.MAX_SAFE_INTEGER)) yield `${csvLine(line, of_currency)}\r\n`;
}

function csvLine(line: InvoiceLine, of_currency: string): string {
  const { n, kind, at, item, what, quantity, unit, explained, net_micros, tax_micros } = line;
  const { deck, deck_version, prefix } = (explained['forwarded'] as Record<string, unknown> | undefined) ?? explained;
  return [
    n,
    kind,
    at.toISOString(),
    item,
    what,
    quantity,
    unit,
    deck,
    deck_version,
    prefix,
    net_micros,
    tax_micros,
    of_currency,
    explained['pack'],
    explained['pack_seconds'],
  ]
    .map(csvField)
    .join(',');
}

/** A field that a table program would take for a formula is kept from being one. */
function csvField(value: unknown): string {
  const text = typeof value === 'string' || typeof value === 'number' || typeof value === 'bigint' ? String(value) : '';
  const harmless = typeof value === 'string' && /^[=+\-@\t]/u.test(text) ? `'${text}` : text;
  return /[",\r\n]/u.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}

function asPdf(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/invoices/{invoice_id}/pdf',
      operation_id: 'download_invoice',
      summary: 'An invoice as a PDF.',
      tag: 'invoices',
      policy,
      pace: 'costly',
      params: withId,
      answers: { 200: { description: 'The PDF.', media: 'application/pdf' } },
      problems: ['not_found'],
    },
    async ({ identity, params }) => {
      const invoice = await ownInvoice(context, accountOf(identity), params.invoice_id);
      return { status: 200, ...(await pdfOf(context, invoice)) };
    },
  );
}

/** The file, and what it is called. */
export async function pdfOf(
  context: PortalContext,
  invoice: Invoice & { buyer_sealed: Buffer },
): Promise<{ bytes: Readable; headers: Record<string, string> }> {
  const buyer = await openBuyer(context, invoice.account_id, invoice.id, invoice.buyer_sealed);
  const bytes = invoicePdf({
    ...{ brand: context.settings.BRAND, invoice, buyer, lines_max: PDF_LINES_MAX },
    lines: allLines(context.pool, invoice.id, PDF_LINES_MAX),
  });
  const headers = {
    'content-type': 'application/pdf',
    'content-disposition': `attachment; filename="${invoice.number}.pdf"`,
  };
  return { bytes, headers };
}

async function ownInvoice(
  { pool }: PortalContext,
  account_id: string,
  id: string,
): Promise<Invoice & { buyer_sealed: Buffer }> {
  const invoice = await findInvoice(pool, account_id, id);
  if (invoice === null) throw new Problem('not_found');
  return invoice;
}
