import { randomUUID } from 'node:crypto';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import type { TransactionKind } from '../../domain/ledger/post.ts';
import { moneyWords } from '../../domain/money/money_words.ts';
import type { PortalContext } from '../context.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { ensureBillingProfile, sealBuyer } from './billing_profile.ts';
import { nextNumber } from './next_number.ts';

/** A transaction of the ledger, by its idempotency key. */
export interface LedgerRef {
  kind: TransactionKind;
  ref: string;
}

export interface NoteLine {
  tx: LedgerRef;
  /** What it is about: the correction, the charge that is credited, the part of a refund. */
  item: string;
  what: string;
  explained: Readonly<Record<string, unknown>>;
  /** Less than nothing where the customer gets something back. */
  net_micros: bigint;
  tax_micros: bigint;
}

export interface Note {
  account_id: string;
  wallet_id: bigint;
  currency: string;
  /** The invoice, or the receipt of the payment, that it corrects. */
  corrects_invoice_id: string | null;
  /** charges: what the wallet was charged is corrected. payments: what was paid into it is paid back. */
  corrects: 'charges' | 'payments';
  lines: readonly NoteLine[];
  /** Transactions that took back some of what those of the lines moved. */
  reversals?: readonly LedgerRef[];
  /** Another mail that the same thing causes tells of it. */
  is_told_otherwise?: boolean;
}

/**
 * A credit note or a debit note, in the transaction that posts what it tells: what stands on it is on no invoice of a month. Its lines
 * sum to what the ledger moved, or nothing is done.
 */
export async function issueNote(
  context: PortalContext,
  tx: Transaction,
  note: Note,
  now: Date,
): Promise<{ invoice_id: string; number: string }> {
  const { account_id, wallet_id, currency, corrects_invoice_id, corrects, lines, reversals = [] } = note;
  const net = lines.reduce((sum, { net_micros }) => sum + net_micros, 0n);
  const tax = lines.reduce((sum, { tax_micros }) => sum + tax_micros, 0n);
  const moved = await movedMicros(tx, wallet_id, [...lines.map((line) => line.tx), ...reversals]);
  const expected = corrects === 'charges' ? -moved : moved;
  if (net + tax !== expected) throw new Error(`A note of ${net + tax} micros is of ${expected} in the ledger.`);
  const invoice_id = randomUUID();
  const buyer = await ensureBillingProfile(context, tx, account_id, now);
  const kind = net + tax > 0n ? 'debit_note' : 'credit_note';
  const number = await nextNumber(tx, kind === 'debit_note' ? 'DBN' : 'CRN', now);
  await tx.query(
    `insert into invoice (id, account_id, wallet_id, currency, number, kind, issued_at, line_count, net_micros, tax_micros, rounding_micros,
                          total_micros, buyer_sealed, corrects_invoice_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, 0, $11, $12, $13)`,
    [
      ...[invoice_id, account_id, wallet_id.toString(), currency, number, kind, now, lines.length],
      ...[net.toString(), tax.toString(), (net + tax).toString(), sealBuyer(buyer, invoice_id), corrects_invoice_id],
    ],
  );
  await insertLines(tx, invoice_id, lines, now);
  if (note.is_told_otherwise !== true) await tellOfNote(tx, note, { kind, number, total: net + tax });
  return { invoice_id, number };
}

/** What was given back is told as what it is worth, and not as less than nothing. */
function tellOfNote(
  tx: Transaction,
  { account_id, currency }: Note,
  { kind, number, total }: { kind: 'credit_note' | 'debit_note'; number: string; total: bigint },
): Promise<void> {
  const facts = { number, total: moneyWords(total < 0n ? -total : total, currency) };
  return queueNotice(tx, { to: { account_id }, template: `${kind}_ready`, facts });
}

async function insertLines(tx: Transaction, invoice_id: string, lines: readonly NoteLine[], now: Date): Promise<void> {
  const items = lines.map(({ tx: { kind, ref }, net_micros, tax_micros, ...line }, at) => ({
    ...{ ...line, n: at + 1, kind, ref, net_micros: net_micros.toString(), tax_micros: tax_micros.toString() },
  }));
  await tx.query(
    `insert into invoice_line (invoice_id, n, tx_id, kind, at, item, what, quantity, unit, explained, net_micros, tax_micros)
     select $1, l.n, t.id, t.kind, $3, l.item, l.what, 1, 'piece', l.explained, l.net_micros, l.tax_micros
       from jsonb_to_recordset($2) as l(n integer, kind text, ref uuid, item uuid, what text, explained jsonb, net_micros bigint,
                                        tax_micros bigint)
       join ledger_tx t on t.kind = l.kind and t.ref = l.ref`,
    [invoice_id, JSON.stringify(items), now],
  );
}

/** What these transactions put into the wallet, all together. */
async function movedMicros(tx: Transaction, wallet_id: bigint, refs: readonly LedgerRef[]): Promise<bigint> {
  const { rows } = await tx.query<{ moved: string }>(
    `select coalesce(sum(p.amount_micros), 0)::bigint as moved
       from ledger_tx t join posting p on p.tx_id = t.id join ledger_account a on a.id = p.account_id
      where (t.kind, t.ref) in (select distinct q.kind, q.ref from unnest($2::text[], $3::uuid[]) as q(kind, ref))
        and a.wallet_id = $1 and a.kind in ('wallet_cash', 'wallet_promo')`,
    [wallet_id.toString(), refs.map(({ kind }) => kind), refs.map(({ ref }) => ref)],
  );
  return BigInt(rows[0]?.moved ?? 0);
}

/** The document that a transaction stands on; null where there is none yet. */
export async function documentOf(db: Queryable, { kind, ref }: LedgerRef): Promise<string | null> {
  const { rows } = await db.query<{ invoice_id: string }>(
    `select l.invoice_id from ledger_tx t join invoice_line l on l.tx_id = t.id where t.kind = $1 and t.ref = $2 limit 1`,
    [kind, ref],
  );
  return rows[0]?.invoice_id ?? null;
}
