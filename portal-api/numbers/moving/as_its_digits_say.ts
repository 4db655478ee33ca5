import { possibleCountries } from '../../../domain/numbers/country_of.ts';
import { numberType } from '../../../domain/numbers/describe_number.ts';
import type { NumberType as KnownType } from '../../../domain/numbers/describe_number.ts';
import { parseE164 } from '../../../domain/numbers/e164.ts';
import type { NumberType } from '../offers/offer_rows.ts';

/** As what a number may be brought along whose digits show its type; those of other types are as they are said to be. */
const TYPES: Partial<Record<KnownType, readonly NumberType[]>> = {
  fixed: ['geographic'],
  mobile: ['mobile'],
  fixed_or_mobile: ['geographic', 'mobile'],
  toll_free: ['toll_free'],
};

/**
 * False where the digits of a number show another country, or another type, than is said of it: by what is said it is decided which papers it
 * takes, and what it costs.
 */
export function isAsItsDigitsSay(said: { number: string; country: string; number_type: NumberType }): boolean {
  const countries = possibleCountries(said.number);
  if (countries.length > 0 && !countries.includes(said.country)) return false;
  const number = parseE164(said.number);
  const types = number === null ? undefined : TYPES[numberType(number)];
  return types?.includes(said.number_type) ?? true;
}
