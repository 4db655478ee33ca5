import type { Transaction } from '../db/transaction.ts';
import type { PostVerdict } from './post.ts';

export interface WalletCharge {
  kind: 'purchase' | 'renewal' | 'adjustment';
  /** With the kind, the idempotency key. */
  ref: string;
  wallet_id: bigint;
  net_micros: bigint;
  tax_micros: bigint;
  /** What was agreed: what an invoice explains the charge by. */
  content: Readonly<Record<string, unknown>>;
  /** Of the payment policy that holds for it, which the customer could read before; an invoice tells it. */
  policy_version: string;
  now: Date;
}

/** Takes the price of something out of a wallet, promo credit in the order that its data says: all of it, or nothing. */
export async function chargeWallet(
  tx: Transaction,
  { kind, ref, wallet_id, net_micros, tax_micros, content, policy_version, now }: WalletCharge,
): Promise<PostVerdict | 'no_wallet' | 'no_money'> {
  const { rows } = await tx.query<{ verdict: PostVerdict | 'no_wallet' | 'no_money' }>(
    'select charge_wallet($1, $2, $3, $4, $5, $6, $7) as verdict',
    [
      ...[kind, ref, wallet_id.toString(), net_micros.toString(), tax_micros.toString()],
      ...[JSON.stringify({ ...content, policy_version }), now],
    ],
  );
  const row = rows[0];
  if (row === undefined) throw new Error('charge_wallet returned no row');
  return row.verdict;
}
