import { parseCurrency } from './currency.ts';
import { formatMoney } from './format_money.ts';
import type { Micros } from './micros.ts';

/** An amount for people. What nobody pays for may have no currency, and costs nothing. */
export function moneyWords(micros: Micros, currency: string | null): string {
  const known = parseCurrency(currency ?? '');
  if (known !== null) return formatMoney(micros, known);
  return micros === 0n ? 'nothing' : `${micros} micros ${currency ?? 'of no currency'}`;
}

/** An amount that an account gained, with a plus, or gave. */
export function signedMoneyWords(micros: Micros, currency: string | null): string {
  return `${micros > 0n ? '+' : ''}${moneyWords(micros, currency)}`;
}
