import type { Transaction } from '../../../domain/db/transaction.ts';
import { formatMoney } from '../../../domain/money/format_money.ts';
import { parseCurrency } from '../../../domain/money/currency.ts';
import { numberType } from '../../../domain/numbers/describe_number.ts';
import type { E164 } from '../../../domain/numbers/e164.ts';
import { parseForwardable } from '../../../domain/numbers/forwardable.ts';

/** Where calls to a number go on to. */
export interface Forward {
  to: string;
  /** `unanswered`: where no phone is there, none answers in time, or they are busy. */
  when: 'always' | 'unanswered';
}

/**
 * Why calls cannot be forwarded there, in words for its holder; null where they can. The controller asks what a price, a limit or a
 * restriction says anew for each call, as they change; this is so that nobody finds out by a call that went nowhere.
 */
export async function whyNotForwarded(
  tx: Transaction,
  account_id: string,
  to: string,
  now: Date,
): Promise<string | null> {
  const account = await payerOf(tx, account_id);
  const number = parseForwardable(to, account.home_country);
  if (number === null) return 'That is not a telephone number that calls can be forwarded to.';
  if (numberType(number) === 'premium')
    return 'That is a premium number, where every call costs whoever pays for it. Calls are not forwarded there.';
  if (await isOurs(tx, number))
    return 'That is a number of ours, and a call from one of our numbers to the next could go round in circles. Choose which devices ring for each of your numbers instead, or name a number elsewhere.';
  if (account.blocked_prefixes.some((prefix) => number.startsWith(prefix, 1)))
    return 'Your account has calls to that destination blocked.';
  return whyNotPriced(tx, account, number, now);
}

async function whyNotPriced(tx: Transaction, account: Payer, number: E164, now: Date): Promise<string | null> {
  const price = await priceOf(tx, account.sell_deck, number, now);
  if (price === null) return 'There is no price for calls to that number, so none can be made.';
  if (price.rate_micros_per_minute <= account.rate_micros_per_minute_max) return null;
  const currency = parseCurrency(price.currency);
  const words = currency === null ? '' : ` (${formatMoney(price.rate_micros_per_minute, currency)} a minute)`;
  return `Calls there cost more${words} than the highest price that your account allows.`;
}

interface Payer {
  home_country: string;
  sell_deck: string;
  blocked_prefixes: string[];
  rate_micros_per_minute_max: bigint;
}

async function payerOf(tx: Transaction, account_id: string): Promise<Payer> {
  const { rows } = await tx.query<Omit<Payer, 'rate_micros_per_minute_max'> & { rate_micros_per_minute_max: string }>(
    `select a.home_country, a.sell_deck, coalesce(l.blocked_prefixes, '{}') as blocked_prefixes,
            coalesce(l.rate_micros_per_minute_max, 0) as rate_micros_per_minute_max
       from account a left join call_limit l on l.account_id = a.id where a.id = $1`,
    [account_id],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`There is no account ${account_id}.`);
  return { ...row, rate_micros_per_minute_max: BigInt(row.rate_micros_per_minute_max) };
}

/** Whoever holds it, or none, or none any more. */
async function isOurs(tx: Transaction, number: E164): Promise<boolean> {
  const { rowCount } = await tx.query('select from did where number = $1', [number]);
  return rowCount === 1;
}

async function priceOf(
  tx: Transaction,
  sell_deck: string,
  number: E164,
  now: Date,
): Promise<{ rate_micros_per_minute: bigint; currency: string } | null> {
  const prefixes = Array.from({ length: number.length - 1 }, (_, n) => number.slice(1, n + 2));
  const { rows } = await tx.query<{ rate_micros_per_minute: string; currency: string }>(
    `select r.rate_micros_per_minute, d.currency from rate_deck d join rate r on r.deck_id = d.id
      where d.name = $1 and d.state = 'active' and d.side = 'sell'
        and r.prefix = any($2) and r.effective_from <= $3 and (r.effective_to is null or r.effective_to > $3)
      order by length(r.prefix) desc limit 1`,
    [sell_deck, prefixes, now],
  );
  const [row] = rows;
  return row === undefined ? null : { ...row, rate_micros_per_minute: BigInt(row.rate_micros_per_minute) };
}
