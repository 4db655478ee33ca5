import { centsDigits, parseCurrency } from '../../domain/money/currency.ts';

/** Micros of one cent of a currency. */
export function centMicros(currency: string): bigint {
  const known = parseCurrency(currency);
  if (known === null) throw new Error(`${currency} is no currency that is in use.`);
  return 10n ** BigInt(6 - centsDigits(known));
}

/** Null where the amount is no whole number of cents, which is all that a provider takes. */
export function centsOf(amount_micros: bigint, currency: string): bigint | null {
  const cent = centMicros(currency);
  return amount_micros % cent === 0n ? amount_micros / cent : null;
}

/** Towards less, for what is negative as well. */
export function floorToCents(amount_micros: bigint, currency: string): bigint {
  const cent = centMicros(currency);
  const rest = ((amount_micros % cent) + cent) % cent;
  return amount_micros - rest;
}
