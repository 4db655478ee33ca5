import type { Transaction } from '../db/transaction.ts';
import type { PostVerdict } from './post.ts';

export interface GivenBack {
  /** The idempotency key of what is given back. */
  ref: string;
  /** Of what is given back, as it was charged. */
  charge_kind: 'purchase' | 'renewal';
  charge_ref: string;
  net_micros: bigint;
  tax_micros: bigint;
  content: Readonly<Record<string, unknown>>;
}

/**
 * Gives back some or all of a charge to the buckets that paid it, cash first. `too_much`: more than was paid and is not given back yet;
 * nothing was done.
 */
export async function giveBack(
  tx: Transaction,
  { ref, charge_kind, charge_ref, net_micros, tax_micros, content }: GivenBack,
): Promise<PostVerdict | 'no_charge' | 'too_much'> {
  const { rows } = await tx.query<{ verdict: PostVerdict | 'no_charge' | 'too_much' }>(
    'select give_back($1, $2, $3, $4, $5, $6) as verdict',
    [ref, charge_kind, charge_ref, net_micros.toString(), tax_micros.toString(), JSON.stringify(content)],
  );
  const row = rows[0];
  if (row === undefined) throw new Error('give_back returned no row');
  return row.verdict;
}
