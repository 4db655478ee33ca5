import type { Micros } from '../../../domain/money/micros.ts';
import type { Queryable } from '../../../domain/db/transaction.ts';
import { CLOCKS_APART_MAX_MS } from '../terms.ts';

export const NUMBER_TYPES = ['geographic', 'mobile', 'toll_free'] as const;
export type NumberType = (typeof NUMBER_TYPES)[number];

/** A number that can be bought, at the price in force. */
export interface Offer {
  number: string;
  country: string;
  number_type: NumberType;
  calls: boolean;
  texts: boolean;
  provider: string;
  currency: string;
  setup_micros: Micros;
  monthly_micros: Micros;
}

type OfferRow = Omit<Offer, 'setup_micros' | 'monthly_micros'> & { setup_micros: string; monthly_micros: string };

/** `$1` is the moment, `$2` whoever may hold it himself. A hold is kept from others a little longer than it was said. */
const offers = `
select o.number, o.country, o.number_type, o.calls, o.texts, o.provider, p.currency, p.setup_micros, p.monthly_micros
  from number_offer o
  join did d on d.number = o.number
  join number_provider v on v.code = o.provider
 cross join lateral (select currency, setup_micros, monthly_micros from number_price
                      where number = o.number and valid_from <= $1 order by valid_from desc limit 1) p
 where o.offered and v.enabled and d.state = 'free'
   and not exists (select from number_order r
                    where r.number = o.number and r.state in ('ordered', 'pending_kyc', 'provisioning', 'testing'))
   and not exists (select from number_hold h
                    where h.number = o.number and h.account_id is distinct from $2::uuid
                      and h.expires_at > $1::timestamptz - interval '${CLOCKS_APART_MAX_MS} milliseconds')
   and not exists (select from number_holding b
                    where b.number = o.number and (b.held_to is null or b.blocked_until > $1))`;

export interface OfferSearch {
  country?: string | undefined;
  number_type?: NumberType | undefined;
  capability?: 'calls' | 'texts' | 'both' | undefined;
  /** Digits with `*` for any and `?` for one; without either, digits that are anywhere within. */
  digits?: string | undefined;
  monthly_micros_max?: Micros | undefined;
  currency?: string | undefined;
  after: string | null;
  rows_max: number;
}

/** Numbers for sale in their order, from after one. */
export async function searchOffers(
  db: Queryable,
  search: OfferSearch,
  account_id: string | null,
  now: Date,
): Promise<Offer[]> {
  const { country, number_type, capability, digits, monthly_micros_max, currency, after, rows_max } = search;
  const { rows } = await db.query<OfferRow>(
    `${offers}
       and ($3::text is null or o.country = $3) and ($4::text is null or o.number_type = $4)
       and (o.calls or not $5) and (o.texts or not $6)
       and ($7::text is null or substr(o.number, 2) like $7) and ($8::bigint is null or p.monthly_micros <= $8)
       and ($9::text is null or p.currency = $9) and ($10::text is null or o.number > $10)
     order by o.number limit $11`,
    [
      ...[now, account_id, country ?? null, number_type ?? null],
      ...[capability === 'calls' || capability === 'both', capability === 'texts' || capability === 'both'],
      ...[likePattern(digits), monthly_micros_max?.toString() ?? null, currency ?? null, after, rows_max],
    ],
  );
  return rows.map(offerOf);
}

/** The offer of one number; null where it cannot be bought by that account now. */
export async function selectOffer(
  db: Queryable,
  number: string,
  account_id: string | null,
  now: Date,
): Promise<Offer | null> {
  const { rows } = await db.query<OfferRow>(`${offers} and o.number = $3`, [now, account_id, number]);
  const row = rows[0];
  return row === undefined ? null : offerOf(row);
}

function likePattern(digits: string | undefined): string | null {
  if (digits === undefined) return null;
  if (!/[*?]/u.test(digits)) return `%${digits}%`;
  return digits.replaceAll('*', '%').replaceAll('?', '_');
}

const offerOf = (row: OfferRow): Offer => ({
  ...row,
  setup_micros: BigInt(row.setup_micros),
  monthly_micros: BigInt(row.monthly_micros),
});
