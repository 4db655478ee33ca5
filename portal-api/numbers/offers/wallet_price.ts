import { convert, fxRateOf, selectFreshFxRates } from '../../../domain/rating/fx_rates.ts';
import type { FxTable } from '../../../domain/rating/fx_rates.ts';
import type { Queryable } from '../../../domain/db/transaction.ts';
import type { Micros } from '../../../domain/money/micros.ts';

export interface ListPrice {
  currency: string;
  setup_micros: Micros;
  monthly_micros: Micros;
}

/** What a price was before it was converted, and by which rate of which day it was. */
export interface ConvertedFrom {
  list_currency: string;
  list_setup_micros: Micros;
  list_monthly_micros: Micros;
  fx_numerator: Micros;
  fx_denominator: Micros;
  /** `2027-01-31` */
  fx_on_date: string;
}

/** What a wallet pays. */
export interface WalletPrice extends ListPrice {
  /** Null where the price list is of the wallet's own currency. */
  converted: ConvertedFrom | null;
}

/**
 * A price of the list as a wallet of a currency pays it: each amount is rounded up once, to the micro. Null where no rate is fresh:
 * what we pay for a number is then not known in the customer's money, and an old rate would be a guess.
 */
export function priceIn(price: ListPrice, currency: string, rates: FxTable): WalletPrice | null {
  const { setup_micros, monthly_micros } = price;
  if (price.currency === currency) return { currency, setup_micros, monthly_micros, converted: null };
  const rate = fxRateOf(price.currency, currency, rates);
  const setup = convert(setup_micros, price.currency, currency, rates);
  const monthly = convert(monthly_micros, price.currency, currency, rates);
  if (rate === null || setup === null || monthly === null) return null;
  const listed = {
    list_currency: price.currency,
    list_setup_micros: setup_micros,
    list_monthly_micros: monthly_micros,
  };
  const fx = { fx_numerator: rate.numerator, fx_denominator: rate.denominator, fx_on_date: rate.on_date };
  return { currency, setup_micros: setup, monthly_micros: monthly, converted: { ...listed, ...fx } };
}

/** The same, by the rates of today. */
export async function priceToday(
  db: Queryable,
  price: ListPrice,
  currency: string,
  now: Date,
): Promise<WalletPrice | null> {
  if (price.currency === currency) return { ...price, converted: null };
  return priceIn(price, currency, await selectFreshFxRates(db, now));
}

/** What an account's wallet pays for something of a list. */
export type PriceForWallet = (price: ListPrice) => { price: WalletPrice | null; no_rate: boolean };

/** By the rates of today; for nobody's account nothing is said. */
export async function selectWalletPrices(db: Queryable, account_id: string | null, now: Date): Promise<PriceForWallet> {
  if (account_id === null) return () => ({ price: null, no_rate: false });
  const { rows } = await db.query<{ currency: string }>(
    'select currency from wallet where account_id = $1 order by id',
    [account_id],
  );
  const currencies = rows.map(({ currency }) => currency);
  const rates = await selectFreshFxRates(db, now);
  return ({ currency, setup_micros, monthly_micros }) => {
    const wallet = currencies.includes(currency) ? currency : currencies[0];
    if (wallet === undefined) return { price: null, no_rate: false };
    const price = priceIn({ currency, setup_micros, monthly_micros }, wallet, rates);
    return { price, no_rate: price === null };
  };
}

/** As an invoice explains a charge by it; nothing where nothing was converted. */
export function conversionWords(converted: Partial<ConvertedFrom> | null): Readonly<Record<string, string>> {
  if (converted === null) return {};
  return Object.fromEntries(Object.entries(converted).map(([name, value]) => [name, String(value)]));
}
