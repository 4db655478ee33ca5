import type { Transaction } from '../db/transaction.ts';

/** What the portal posts; calls and texts are charged by functions of their own. */
export type TransactionKind =
  | 'topup'
  | 'promo'
  | 'promo_expiry'
  | 'adjustment'
  | 'reversal'
  | 'refund'
  | 'purchase'
  | 'renewal'
  | 'credit_note'
  | 'payout'
  | 'chargeback'
  | 'receivable';

/** Kinds of ledger accounts that exist once for each currency, or once for each wallet. */
export type OperatorAccountKind =
  'revenue' | 'tax_payable' | 'operator_loss' | 'payment_clearing' | 'promo_cost' | 'rounding';

export interface Posting {
  account_id: bigint;
  amount_micros: bigint;
}

/** posted: written now. replay: the same was written before, nothing changed. conflict: the key carries other content. */
export type PostVerdict = 'posted' | 'replay' | 'conflict';

/**
 * Writes one transaction of the ledger. Its postings sum to zero for each currency, else this throws.
 * @param ref with the kind, the idempotency key: a uuid that the cause of the transaction carries.
 * @param content says what was agreed; a repeated key with other content is refused.
 */
export async function post(
  tx: Transaction,
  kind: TransactionKind,
  ref: string,
  content: Readonly<Record<string, unknown>>,
  postings: readonly Posting[],
): Promise<PostVerdict> {
  const { rows } = await tx.query<{ verdict: PostVerdict }>(
    'select post_portal_transaction($1, $2, $3, $4, $5) as verdict',
    [
      kind,
      ref,
      JSON.stringify(content),
      postings.map((p) => p.account_id.toString()),
      postings.map((p) => p.amount_micros.toString()),
    ],
  );
  const row = rows[0];
  if (row === undefined) throw new Error('post_portal_transaction returned no row');
  return row.verdict;
}

/** The ledger account of that kind, made on first use. */
export async function ledgerAccount(
  tx: Transaction,
  kind: OperatorAccountKind | 'wallet_cash' | 'receivable',
  currency: string,
  wallet_id: bigint | null,
): Promise<bigint> {
  const { rows } = await tx.query<{ id: string }>('select ledger_account_of($1, $2, $3) as id', [
    kind,
    currency,
    wallet_id?.toString() ?? null,
  ]);
  const row = rows[0];
  if (row === undefined) throw new Error('ledger_account_of returned no row');
  return BigInt(row.id);
}
