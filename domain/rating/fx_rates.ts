import type { Queryable } from '../db/transaction.ts';
import { ceilDiv, type Micros } from '../money/micros.ts';

/** `amount_to = amount_from * numerator / denominator`, as fixed on a day. */
export type FxRate = {
  readonly from_currency: string;
  readonly to_currency: string;
  /** `2026-01-31` */
  readonly on_date: string;
  readonly numerator: bigint;
  readonly denominator: bigint;
};

/** For each pair of currencies the rate in force; made by `fxTable`. */
export type FxTable = ReadonlyMap<string, FxRate>;

/** The table of these rates, in both directions: a pair that is fixed one way only is inverted, which is exact. */
export function fxTable(rates: readonly FxRate[]): FxTable {
  const table = new Map(rates.map((rate) => [key(rate.to_currency, rate.from_currency), inverted(rate)]));
  for (const rate of rates) table.set(key(rate.from_currency, rate.to_currency), rate);
  return table;
}

/** The amount in the other currency, rounded up to the micro; null where no rate is known. */
export function convert(amount: Micros, from_currency: string, to_currency: string, table: FxTable): Micros | null {
  if (from_currency === to_currency) return amount;
  const rate = table.get(key(from_currency, to_currency));
  return rate ? ceilDiv(amount * rate.numerator, rate.denominator) : null;
}

/** The rate by which one currency is converted into another; null where none is known. */
export function fxRateOf(from_currency: string, to_currency: string, table: FxTable): FxRate | null {
  return table.get(key(from_currency, to_currency)) ?? null;
}

type FxRecord = Omit<FxRate, 'numerator' | 'denominator'> & { numerator: string; denominator: string };

/** The newest rate of each pair that was fixed on or before the UTC day of `now`. */
export async function selectFxRates(db: Queryable, now: Date): Promise<FxTable> {
  return fxTable(await selectNewest(db, now));
}

/** Banks fix no rates at weekends and on holidays: those of the Thursday before Easter are the newest until Tuesday. */
const FRESH_MS = 5 * 86_400_000;

/** The same without those that are more than five days old: what is sold by one of them was bought by a guess. */
export async function selectFreshFxRates(db: Queryable, now: Date): Promise<FxTable> {
  const oldest = dayOf(new Date(now.getTime() - FRESH_MS));
  return fxTable((await selectNewest(db, now)).filter(({ on_date }) => on_date >= oldest));
}

async function selectNewest(db: Queryable, now: Date): Promise<FxRate[]> {
  const { rows } = await db.query<FxRecord>(
    `select distinct on (from_currency, to_currency) from_currency, to_currency, to_char(on_date, 'YYYY-MM-DD') as on_date,
            numerator::text, denominator::text
       from fx_rate where on_date <= $1::date order by from_currency, to_currency, on_date desc`,
    [dayOf(now)],
  );
  return rows.map(rateOf);
}

/** `2026-01-31`, in UTC; days compare as their texts do. */
const dayOf = (at: Date): string => at.toISOString().slice(0, 10);

const rateOf = (row: FxRecord): FxRate => ({
  ...row,
  numerator: BigInt(row.numerator),
  denominator: BigInt(row.denominator),
});

function inverted({ from_currency, to_currency, on_date, numerator, denominator }: FxRate): FxRate {
  return {
    from_currency: to_currency,
    to_currency: from_currency,
    on_date,
    numerator: denominator,
    denominator: numerator,
  };
}

function key(from_currency: string, to_currency: string): string {
  return from_currency + to_currency;
}
