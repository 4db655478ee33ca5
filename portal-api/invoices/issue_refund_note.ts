import type { Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { documentOf, issueNote } from './issue_note.ts';
import type { NoteLine } from './issue_note.ts';

export interface RefundedMoney {
  id: string;
  account_id: string;
  wallet_id: bigint;
  currency: string;
}

interface PartRow {
  id: string;
  attempt_id: string;
  amount_micros: string;
  state: 'waiting' | 'paid' | 'failed';
  receipt_id: string | null;
  receipt: string | null;
}

/**
 * The credit note of a refund that has come to its end: a line for each payment that some was paid back of, naming its receipt. It
 * corrects the receipt of the largest. What the provider refused to pay is back in the wallet and on no line.
 * @returns its number; null where nothing was paid back, or it was issued before.
 */
export async function issueRefundNote(
  context: PortalContext,
  tx: Transaction,
  { id, account_id, wallet_id, currency }: RefundedMoney,
  { is_told_otherwise, now }: { is_told_otherwise: boolean; now: Date },
): Promise<string | null> {
  const payout = { kind: 'payout', ref: id } as const;
  if ((await documentOf(tx, payout)) !== null) return null;
  const { rows } = await tx.query<PartRow>(
    `select p.id, p.attempt_id, p.amount_micros, p.state, i.id as receipt_id, i.number as receipt
       from refund_part p left join invoice i on i.attempt_id = p.attempt_id
      where p.refund_id = $1 order by p.amount_micros desc, p.id`,
    [id],
  );
  const paid = rows.filter(({ state }) => state === 'paid');
  if (paid.length === 0) return null;
  const lines = paid.map((part): NoteLine => ({
    ...{ tx: payout, item: part.id, what: `Money paid back${part.receipt === null ? '' : ` of ${part.receipt}`}` },
    explained: { refund_id: id, payment_id: part.attempt_id, receipt: part.receipt },
    ...{ net_micros: -BigInt(part.amount_micros), tax_micros: 0n },
  }));
  const failed = rows.filter(({ state }) => state === 'failed');
  const { number } = await issueNote(
    context,
    tx,
    {
      ...{ account_id, wallet_id, currency, corrects_invoice_id: paid[0]?.receipt_id ?? null, corrects: 'payments' },
      ...{ lines, reversals: failed.map((part) => ({ kind: 'reversal', ref: part.id })), is_told_otherwise },
    },
    now,
  );
  return number;
}

/** What a credit note said to be paid back, and came back from the bank after that. Its customer is told of it by another mail. */
export async function issueFailedRefundNote(
  context: PortalContext,
  tx: Transaction,
  { id, account_id, wallet_id, currency }: RefundedMoney,
  { part_id, attempt_id, amount_micros }: { part_id: string; attempt_id: string; amount_micros: bigint },
  now: Date,
): Promise<void> {
  const corrects_invoice_id = await documentOf(tx, { kind: 'payout', ref: id });
  if (corrects_invoice_id === null) return;
  const line: NoteLine = {
    ...{ tx: { kind: 'reversal', ref: part_id }, item: part_id, what: 'Money that could not be paid back' },
    explained: { refund_id: id, payment_id: attempt_id },
    ...{ net_micros: amount_micros, tax_micros: 0n },
  };
  const note = { account_id, wallet_id, currency, corrects_invoice_id, corrects: 'payments' as const };
  await issueNote(context, tx, { ...note, lines: [line], is_told_otherwise: true }, now);
}
