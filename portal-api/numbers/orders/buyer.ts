import type { Queryable } from '../../../domain/db/transaction.ts';
import type { MissingDocuments } from '../missing_documents.ts';

/** What other areas know of whoever takes on a number. */
export interface BuyerPorts {
  missingDocuments: MissingDocuments;
  /** Whether the account has agreed to the terms in force. */
  termsAccepted: (db: Queryable, account_id: string, now: Date) => Promise<boolean>;
}

export interface Buyer {
  state: string;
  tax_ppm: number;
  /** Of the wallet in the currency of what is bought; null where the account has none in it. */
  wallet_id: bigint | null;
  is_restricted: boolean;
}

/** What decides whether an account may take on something that costs this currency. */
export async function selectBuyer(db: Queryable, account_id: string, currency: string, now: Date): Promise<Buyer> {
  const { rows } = await db.query<Omit<Buyer, 'wallet_id'> & { wallet_id: string | null }>(
    `select a.state, a.tax_ppm, w.id as wallet_id,
            exists (select from restriction r where r.account_id = a.id and r.scope in ('purchases', 'all')
                       and r.starts_at <= $3 and (r.ends_at is null or r.ends_at > $3)) as is_restricted
       from account a left join wallet w on w.account_id = a.id and w.currency = $2
      where a.id = $1`,
    [account_id, currency, now],
  );
  const row = rows[0];
  if (row === undefined) throw new Error(`There is no account ${account_id}.`);
  return { ...row, wallet_id: row.wallet_id === null ? null : BigInt(row.wallet_id) };
}

export type BuyerRefusal = 'account_not_active' | 'restricted' | 'no_wallet';

/** Why this account may not buy that; else the wallet that pays. */
export function mayBuy({ state, is_restricted, wallet_id }: Buyer): { wallet_id: bigint } | { refusal: BuyerRefusal } {
  if (state !== 'active') return { refusal: 'account_not_active' };
  if (is_restricted) return { refusal: 'restricted' };
  return wallet_id === null ? { refusal: 'no_wallet' } : { wallet_id };
}
