import type { Queryable } from '../../domain/db/transaction.ts';

export interface Invoice {
  id: string;
  account_id: string;
  currency: string;
  number: string;
  kind: 'invoice' | 'receipt' | 'credit_note' | 'debit_note';
  month: string | null;
  period_from: Date | null;
  period_to: Date | null;
  attempt_id: string | null;
  /** What a note corrects; null where it is about the wallet as a whole, and for all others. */
  corrects_invoice_id: string | null;
  corrects_number: string | null;
  issued_at: Date;
  line_count: number;
  net_micros: bigint;
  tax_micros: bigint;
  rounding_micros: bigint;
  total_micros: bigint;
}

export interface InvoiceLine {
  n: number;
  kind: string;
  at: Date;
  item: string;
  what: string;
  quantity: number;
  unit: 'second' | 'segment' | 'piece';
  explained: Record<string, unknown>;
  net_micros: bigint;
  tax_micros: bigint;
}

type Amounts = 'net_micros' | 'tax_micros' | 'rounding_micros' | 'total_micros';
type InvoiceRow = Omit<Invoice, Amounts> & Record<Amounts, string>;

const COLUMNS = `id, account_id, currency, number, kind, month::text as month, period_from, period_to, attempt_id, issued_at, line_count,
  net_micros, tax_micros, rounding_micros, total_micros, corrects_invoice_id,
  (select o.number from invoice o where o.id = invoice.corrects_invoice_id) as corrects_number`;

const invoiceOf = (row: InvoiceRow): Invoice => ({
  ...row,
  net_micros: BigInt(row.net_micros),
  tax_micros: BigInt(row.tax_micros),
  rounding_micros: BigInt(row.rounding_micros),
  total_micros: BigInt(row.total_micros),
});

export interface InvoiceSearch {
  account_id: string | null;
  kind?: Invoice['kind'] | undefined;
  number?: string | undefined;
  /** When it was issued: from when on, and before when. */
  from?: string | undefined;
  to?: string | undefined;
}

export async function listInvoices(
  db: Queryable,
  { account_id, kind, number, from, to }: InvoiceSearch,
  before: readonly [string, string] | null,
  rows_max: number,
): Promise<Invoice[]> {
  const { rows } = await db.query<InvoiceRow>(
    `select ${COLUMNS} from invoice
      where ($1::uuid is null or account_id = $1) and ($2::text is null or kind = $2) and ($3::text is null or number = $3)
        and ($4::timestamptz is null or issued_at >= $4) and ($5::timestamptz is null or issued_at < $5)
        and ($6::timestamptz is null or (issued_at, id) < ($6, $7::uuid))
      order by issued_at desc, id desc limit $8`,
    [
      ...[account_id, kind ?? null, number ?? null, from ?? null, to ?? null],
      ...[before?.[0] ?? null, before?.[1] ?? null, rows_max],
    ],
  );
  return rows.map(invoiceOf);
}

/** Of an account; or whose it may be, for the operator. */
export async function findInvoice(
  db: Queryable,
  account_id: string | null,
  id: string,
): Promise<(Invoice & { buyer_sealed: Buffer }) | null> {
  const { rows } = await db.query<InvoiceRow & { buyer_sealed: Buffer }>(
    `select ${COLUMNS}, buyer_sealed from invoice where ($1::uuid is null or account_id = $1) and id = $2`,
    [account_id, id],
  );
  const [row] = rows;
  return row === undefined ? null : { ...invoiceOf(row), buyer_sealed: row.buyer_sealed };
}

export async function listLines(
  db: Queryable,
  invoice_id: string,
  after_n: number,
  rows_max: number,
): Promise<InvoiceLine[]> {
  const { rows } = await db.query<
    Omit<InvoiceLine, 'net_micros' | 'tax_micros'> & { net_micros: string; tax_micros: string }
  >(
    `select n, kind, at, item, what, quantity, unit, explained, net_micros, tax_micros from invoice_line
      where invoice_id = $1 and n > $2 order by n limit $3`,
    [invoice_id, after_n, rows_max],
  );
  return rows.map((row) => ({ ...row, net_micros: BigInt(row.net_micros), tax_micros: BigInt(row.tax_micros) }));
}

const LINES_AT_ONCE = 500;

/** All lines of an invoice, of which a large one has more than fit into memory. */
export async function* allLines(db: Queryable, invoice_id: string, lines_max: number): AsyncGenerator<InvoiceLine> {
  for (let after_n = 0; after_n < lines_max;) {
    const lines = await listLines(db, invoice_id, after_n, Math.min(LINES_AT_ONCE, lines_max - after_n));
    yield* lines;
    const last = lines.at(-1);
    if (last === undefined || lines.length < LINES_AT_ONCE) return;
    after_n = last.n;
  }
}
