import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import type { E164 } from './e164.ts';

/** What kind of service answers, where the numbering plan shows it. `other` is a number in no known range. */
export type NumberType = 'fixed' | 'mobile' | 'fixed_or_mobile' | 'premium' | 'shared_cost' | 'toll_free' | 'other';

const TYPES: Readonly<Record<string, NumberType>> = {
  FIXED_LINE: 'fixed',
  MOBILE: 'mobile',
  FIXED_LINE_OR_MOBILE: 'fixed_or_mobile',
  PREMIUM_RATE: 'premium',
  SHARED_COST: 'shared_cost',
  TOLL_FREE: 'toll_free',
};

/** The number as people of any country write it: `+44 20 7946 0000`. */
export function formatNumber(number: E164): string {
  return parsePhoneNumberFromString(number, { extract: false })?.formatInternational() ?? number;
}

/** Premium rate numbers are where toll fraud goes; which a number is costs tens of microseconds to tell. */
export function numberType(number: E164): NumberType {
  const type = parsePhoneNumberFromString(number, { extract: false })?.getType();
  return (type && TYPES[type]) ?? 'other';
}
