import { randomUUID } from 'node:crypto';
import type { Transaction } from '../../domain/db/transaction.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { ledgerAccount, post } from '../../domain/ledger/post.ts';
import { moneyWords } from '../../domain/money/money_words.ts';
import type { PortalContext } from '../context.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { ensureBillingProfile, sealBuyer } from './billing_profile.ts';
import { insertWithLines } from './invoice_lines_sql.ts';

export interface InvoiceWish {
  wallet_id: bigint;
  /** The first day of the month, in the account's zone. */
  month: string;
  /** Until when charges are billed; null: to the end of the month. */
  until: Date | null;
}

export type Made = { kind: 'made'; invoice_id: string } | { kind: 'nothing_to_bill' } | { kind: 'there_already' };

interface Billed {
  account_id: string;
  currency: string;
  period_from: Date;
  period_to: Date;
  is_there: boolean;
}

/** A month of many calls takes a while. */
const SLOW_MS = 300_000;

/**
 * Bills what a wallet was charged and no invoice has yet: of this month, and what came too late for an earlier one. The lines sum to the
 * ledger's postings to the micro; what the whole is above whole cents is posted back to the wallet, so that the invoice's total and the
 * ledger are one figure.
 *
 * The wallet's row is left alone until that posting, as calls and texts of everybody wait where one of their batch does.
 */
export function makeInvoice(context: PortalContext, wish: InvoiceWish, now: Date): Promise<Made> {
  return inTransaction(context.pool, async (tx) => {
    await tx.query(`set local statement_timeout = ${SLOW_MS}`);
    // Two of the same wallet would each bill what the other does.
    await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 23))', [wish.wallet_id.toString()]);
    const billed = await readBilled(tx, wish);
    if (billed.is_there) return { kind: 'there_already' };
    const invoice_id = randomUUID();
    const { account_id, currency } = billed;
    const buyer = await ensureBillingProfile(context, tx, account_id, now);
    const written = await insertWithLines(tx, {
      ...{ invoice_id, wallet_id: wish.wallet_id, account_id, currency, month: wish.month },
      ...{ period_from: billed.period_from, period_to: billed.period_to, issued_at: now },
      ...{ buyer_sealed: sealBuyer(buyer, invoice_id), slow_ms: SLOW_MS },
    });
    if (written === null) return { kind: 'nothing_to_bill' };
    const { number, gross_micros, lines_micros, total_micros } = written;
    if (lines_micros !== gross_micros) {
      throw new Error(
        `The lines of invoice ${number} sum to ${lines_micros} micros, and the ledger has ${gross_micros}.`,
      );
    }
    const rounding = total_micros - gross_micros;
    await postRounding(tx, { invoice_id, number, currency, wallet_id: wish.wallet_id, rounding });
    const facts = { number, total: moneyWords(total_micros, currency) };
    await queueNotice(tx, { to: { account_id }, template: 'invoice_ready', facts });
    return { kind: 'made', invoice_id };
  });
}

async function readBilled(tx: Transaction, { wallet_id, month, until }: InvoiceWish): Promise<Billed> {
  const { rows } = await tx.query<Billed>(
    `select w.account_id, w.currency, $2::date::timestamp at time zone a.time_zone as period_from,
            coalesce($3, ($2::date + interval '1 month') at time zone a.time_zone) as period_to,
            exists (select 1 from invoice i where i.wallet_id = w.id and i.month = $2::date) as is_there
       from wallet w join account a on a.id = w.account_id where w.id = $1`,
    [wallet_id.toString(), month, until],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`There is no wallet ${wallet_id}.`);
  return row;
}

interface Rounding {
  invoice_id: string;
  number: string;
  currency: string;
  wallet_id: bigint;
  rounding: bigint;
}

async function postRounding(
  tx: Transaction,
  { invoice_id, number, currency, wallet_id, rounding }: Rounding,
): Promise<void> {
  if (rounding === 0n) return;
  const content = { what: `rounding of ${number}`, invoice_id, rounding_micros: rounding.toString() };
  await post(tx, 'adjustment', invoice_id, content, [
    { account_id: await ledgerAccount(tx, 'wallet_cash', currency, wallet_id), amount_micros: -rounding },
    { account_id: await ledgerAccount(tx, 'rounding', currency, null), amount_micros: rounding },
  ]);
}
