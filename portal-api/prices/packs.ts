import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { chargeWallet } from '../../domain/ledger/charge_wallet.ts';
import { withTax } from '../../domain/rating/price.ts';
import { PAYMENT_POLICY } from '../payments/payment_policy.ts';

export interface PackOffer {
  id: string;
  name: string;
  prefixes: string[];
  seconds: number;
  valid_days: number;
  price_micros: bigint;
  currency: string;
  sold_from: Date;
  sold_until: Date | null;
  version: number;
}

type OfferRow = Omit<PackOffer, 'price_micros'> & { price_micros: string };

const offerOf = (row: OfferRow): PackOffer => ({ ...row, price_micros: BigInt(row.price_micros) });

/** Those that are sold at that moment, in one currency or in all; with `at` null, all that ever were. */
export async function listOffers(db: Queryable, at: Date | null, currency: string | null): Promise<PackOffer[]> {
  const { rows } = await db.query<OfferRow>(
    `select * from pack_offer
      where ($1::timestamptz is null or (sold_from <= $1 and (sold_until is null or sold_until > $1)))
        and ($2::text is null or currency = $2)
      order by price_micros, id limit 500`,
    [at, currency],
  );
  return rows.map(offerOf);
}

export async function findOffer(db: Queryable, id: string): Promise<PackOffer | null> {
  const { rows } = await db.query<OfferRow>('select * from pack_offer where id = $1', [id]);
  return rows[0] === undefined ? null : offerOf(rows[0]);
}

export async function insertOffer(db: Queryable, offer: Omit<PackOffer, 'version'>): Promise<void> {
  await db.query(
    `insert into pack_offer (id, name, prefixes, seconds, valid_days, price_micros, currency, sold_from, sold_until)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
    [
      ...[offer.id, offer.name, offer.prefixes, offer.seconds, offer.valid_days, offer.price_micros.toString()],
      ...[offer.currency, offer.sold_from, offer.sold_until],
    ],
  );
}

/** False where it was changed meanwhile. */
export async function endOffer(db: Queryable, id: string, sold_until: Date, version: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `update pack_offer set sold_until = greatest($2, sold_from + interval '1 millisecond'), version = version + 1
      where id = $1 and version = $3`,
    [id, sold_until, version],
  );
  return (rowCount ?? 0) > 0;
}

/** Whether a restriction that is in force keeps the account from buying. */
export async function mayNotBuy(db: Queryable, account_id: string, now: Date): Promise<boolean> {
  const { rows } = await db.query(
    `select 1 from restriction where account_id = $1 and scope in ('purchases', 'all') and starts_at <= $2 and (ends_at is null or ends_at > $2)
     limit 1`,
    [account_id, now],
  );
  return rows.length > 0;
}

export interface PackWish {
  /** The purchase’s own id, and the ledger’s ref of its charge. */
  purchase_id: string;
  account_id: string;
  wallet_id: bigint;
  offer: PackOffer;
}

/** Charges the price and puts the seconds into the wallet, once for its id. */
export async function buyPack(
  tx: Transaction,
  { purchase_id, account_id, wallet_id, offer }: PackWish,
  now: Date,
): Promise<'bought' | 'no_money' | 'no_wallet' | 'conflict'> {
  const { rows: accounts } = await tx.query<{ tax_ppm: number }>('select tax_ppm from account where id = $1', [
    account_id,
  ]);
  const { net, tax } = withTax(offer.price_micros, accounts[0]?.tax_ppm ?? 0);
  const verdict = await chargeWallet(tx, {
    ...{ kind: 'purchase', ref: purchase_id, wallet_id, net_micros: net, tax_micros: tax, now },
    content: {
      ...{ what: `minute pack ${offer.name}`, offer_id: offer.id, seconds: offer.seconds },
      tax_ppm: accounts[0]?.tax_ppm ?? 0,
    },
    policy_version: PAYMENT_POLICY.version,
  });
  if (verdict === 'replay') return 'bought';
  if (verdict !== 'posted') return verdict;
  const expires_at = new Date(now.getTime() + offer.valid_days * 86_400_000);
  const { rows } = await tx.query<{ id: string }>(
    'insert into minute_pack (wallet_id, name, prefixes, seconds_left, expires_at) values ($1, $2, $3, $4, $5) returning id',
    [wallet_id.toString(), offer.name, offer.prefixes, offer.seconds, expires_at],
  );
  await tx.query(
    'insert into pack_purchase (id, account_id, offer_id, pack_id, bought_at) values ($1, $2, $3, $4, $5)',
    [purchase_id, account_id, offer.id, rows[0]?.id, now],
  );
  return 'bought';
}
