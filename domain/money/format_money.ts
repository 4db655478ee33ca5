import { centsDigits, type Currency } from './currency.ts';
import { MICROS_PER_UNIT, type Micros } from './micros.ts';

/**
 * Writes an amount for people: `12.50 EUR`, `-0.0125 EUR`, `300 JPY`. It has at least the decimals of the
 * currency's cents and shows what lies below a cent in full, because a bill by the second is made of such amounts.
 */
export function formatMoney(amount: Micros, currency: Currency): string {
  const sign = amount < 0n ? '-' : '';
  const absolute = amount < 0n ? -amount : amount;
  const decimals = (absolute % MICROS_PER_UNIT)
    .toString()
    .padStart(6, '0')
    .replace(/0+$/, '')
    .padEnd(centsDigits(currency), '0');
  const whole = (absolute / MICROS_PER_UNIT).toString();
  return `${sign}${whole}${decimals ? `.${decimals}` : ''} ${currency}`;
}
