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
  /** The wallet in the currency of what is bought, else the first that the account has; null where it has none. */
  wallet: { wallet_id: bigint; currency: string } | null;
  is_restricted: boolean;
}

/** What decides whether an account may take on something that costs this currency. */
export async function selectBuyer(db: Queryable, account_id: string, currency: string, now: Date): Promise<Buyer> {
  const { rows } = await db.query<Omit<Buyer, 'wallet'> & { wallet_id: string | null; currency: string }>(
    `select a.state, a.tax_ppm, w.id as wallet_id, w.currency,
            exists (select from restriction r where r.account_id = a.id and r.scope in ('purchases', 'all')
                       and r.starts_at <= $3 and (r.ends_at is null or r.ends_at > $3)) as is_restricted
       from account a
       left join lateral (select id, currency from wallet where account_id = a.id order by currency = $2 desc, id limit 1) w on true
      where a.id = $1`,
    [account_id, currency, now],
  );
  const row = rows[0];
  if (row === undefined) throw new Error(`There is no account ${account_id}.`);
  const { state, tax_ppm, is_restricted, wallet_id, currency: of } = row;
  const wallet = wallet_id === null ? null : { wallet_id: BigInt(wallet_id), currency: of };
  return { state, tax_ppm, is_restricted, wallet };
}

export type BuyerRefusal = 'account_not_active' | 'restricted' | 'no_wallet' | 'no_rate';

/** Why this account may not buy that; else the wallet that pays. */
export function mayBuy({
  state,
  is_restricted,
  wallet,
}: Buyer): { wallet_id: bigint; currency: string } | { refusal: BuyerRefusal } {
  if (state !== 'active') return { refusal: 'account_not_active' };
  if (is_restricted) return { refusal: 'restricted' };
  return wallet ?? { refusal: 'no_wallet' };
}
