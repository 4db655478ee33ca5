import { parsePhoneNumberFromString } from 'libphonenumber-js/max';

/**
 * The country of a number by its digits (ISO 3166-1); of one that several countries share and none of them assigned, the largest. Null
 * for a number of no country, such as that of a satellite phone.
 */
export function countryOf(number: string): string | null {
  const parsed = parsePhoneNumberFromString(number, { extract: false });
  return parsed?.country ?? parsed?.getPossibleCountries()[0] ?? null;
}

/** Of which countries a number may be by its digits: one where they show it, several that share a calling code, or none. */
export function possibleCountries(number: string): readonly string[] {
  const parsed = parsePhoneNumberFromString(number, { extract: false });
  if (parsed === undefined) return [];
  return parsed.country === undefined ? parsed.getPossibleCountries() : [parsed.country];
}
