import type { Queryable } from '../db/transaction.ts';

/** One posting of the ledger as it is told; a positive amount is money that the account gained. */
export interface Posting {
  /** The kind of its account. */
  account: string;
  carrier: string | null;
  currency: string;
  amount_micros: bigint;
}

/** The kinds of accounts that are a customer's money. */
export const WALLET_ACCOUNTS = ['wallet_cash', 'wallet_promo'] as const;

export interface PostedTransaction {
  tx_id: bigint;
  /** The customer's side first. */
  postings: readonly Posting[];
}

/** The transaction that the ledger has of this kind and this ref; null where it has none. */
export async function postedTransaction(db: Queryable, kind: string, ref: string): Promise<PostedTransaction | null> {
  const { rows } = await db.query<Omit<Posting, 'amount_micros'> & { amount_micros: string; tx_id: string }>(
    `select t.id as tx_id, a.kind as account, c.code as carrier, p.currency, p.amount_micros
       from ledger_tx t join posting p on p.tx_id = t.id join ledger_account a on a.id = p.account_id
            left join carrier c on c.id = a.carrier_id
      where t.kind = $1 and t.ref = $2
      order by a.wallet_id is null, a.carrier_id is not null, a.kind`,
    [kind, ref],
  );
  const [first] = rows;
  if (first === undefined) return null;
  return {
    tx_id: BigInt(first.tx_id),
    postings: rows.map(({ account, carrier, currency, amount_micros }) => ({
      account,
      carrier,
      currency,
      amount_micros: BigInt(amount_micros),
    })),
  };
}

/** What these kinds of accounts gained in all. */
export function postedOn(postings: readonly Posting[], accounts: readonly string[]): bigint {
  return postings.filter((one) => accounts.includes(one.account)).reduce((sum, one) => sum + one.amount_micros, 0n);
}

/** In words, what does not sum to zero as every transaction has to; empty where all does. */
export function unbalanced(postings: readonly Posting[]): string[] {
  const sums = new Map<string, bigint>();
  for (const { currency, amount_micros } of postings) sums.set(currency, (sums.get(currency) ?? 0n) + amount_micros);
  return [...sums]
    .filter(([, sum]) => sum !== 0n)
    .map(([currency, sum]) => `The postings in ${currency} sum to ${sum} micros, not to zero.`);
}
