import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { soleCallingCode } from '../../../domain/numbers/calling_codes.ts';
import type { E164 } from '../../../domain/numbers/e164.ts';

/**
 * Calling codes that several countries share, by the one that most of their numbers belong to: what no range says of another
 * country is taken to be its.
 */
const SHARED: Readonly<Record<string, string>> = {
  ...{ '1': 'US', '7': 'RU', '39': 'IT', '44': 'GB', '47': 'NO', '61': 'AU', '212': 'MA', '262': 'RE' },
  ...{ '290': 'SH', '358': 'FI', '590': 'GP', '599': 'CW' },
};

/** An area code of North America says the country; elsewhere ranges of ten thousand numbers or more do. */
const TELLING_DIGITS_OF_1 = 4;
const TELLING_DIGITS = 8;
const REMEMBERED_MAX = 20_000;

/** The country of a number by its digits, ISO 3166-1; what was looked up in the numbering plan is remembered by its first digits. */
export class DestinationCountry {
  readonly #remembered = new Map<string, string>();

  /** Null for what belongs to no country, such as +883 and +870. */
  of(number: E164): string | null {
    const digits = number.slice(1);
    const sole = soleCallingCode(digits);
    if (sole !== null) return sole.numbering.country;
    const code = sharedCode(digits);
    if (code === null) return null;
    const telling = digits.slice(0, code === '1' ? TELLING_DIGITS_OF_1 : TELLING_DIGITS);
    const known = this.#remembered.get(telling) ?? this.#remembered.get(digits);
    if (known !== undefined) return known;
    const country = parsePhoneNumberFromString(number, { extract: false })?.country;
    if (this.#remembered.size >= REMEMBERED_MAX) this.#remembered.clear();
    // What is no valid number says nothing of those that begin alike.
    this.#remembered.set(country === undefined ? digits : telling, country ?? SHARED[code] ?? '');
    return country ?? SHARED[code] ?? null;
  }
}

/** By the first three digits of numbers. */
const BY_CALLING_CODE: readonly (string | null)[] = Array.from({ length: 1000 }, (_, first) => {
  const digits = String(first).padStart(3, '0');
  return soleCallingCode(digits)?.numbering.country ?? SHARED[sharedCode(digits) ?? ''] ?? null;
});

/**
 * The country to which most of the numbers of a calling code belong: US for all of +1. That is all that routes have to know, and takes
 * nanoseconds. Null for what belongs to no country.
 */
export function countryOfCallingCode(number: E164): string | null {
  const first = number.charCodeAt(1) * 100 + number.charCodeAt(2) * 10 + number.charCodeAt(3) - 48 * 111;
  return BY_CALLING_CODE[first] ?? null;
}

function sharedCode(digits: string): string | null {
  for (let length = 1; length <= 3; length += 1) {
    const code = digits.slice(0, length);
    if (code in SHARED) return code;
  }
  return null;
}
