import { parsePhoneNumberFromString, type CountryCode } from 'libphonenumber-js/max';
import { afterInternationalPrefix, knownCountry, soleCallingCode } from './calling_codes.ts';
import { cleanDialled } from './clean_dialled.ts';
import { parseE164, type E164 } from './e164.ts';
import { isEmergency } from './emergency_numbers.ts';

/** Numbers of up to this many digits have a meaning within a network or a country only. */
const SHORT_CODE_DIGITS_MAX = 6;
/** What a call to `urn:service:sos` asks for; it counts everywhere. */
const SOS_CODE = '112';
/** An international prefix of up to 7 digits before the 15 of E.164. */
const DIGITS_MAX = 22;

/** What somebody dialled. `country` is null where a number belongs to none (+800) or to several and it cannot be said which. */
export type Dialled =
  | { readonly kind: 'e164'; readonly number: E164; readonly country: string | null }
  | { readonly kind: 'emergency'; readonly code: string }
  | { readonly kind: 'invalid'; readonly reason: InvalidNumber };

/**
 * - `short_code`: a number of a few digits that is no emergency number;
 * - `impossible`: no country has numbers that begin so or are that long;
 * - `unknown_country`: the home country is none, so a national number has no meaning.
 */
export type InvalidNumber = 'empty' | 'too_long' | 'not_a_number' | 'short_code' | 'impossible' | 'unknown_country';

/**
 * Reads a number as it is dialled in `home_country` (ISO 3166-1): `+44…`, with the country's own international prefix
 * (`0044…`, from the US `01144…`), or nationally. Emergency numbers come first, because seconds count and because some
 * are beginnings of other numbers. A number is taken if its length is possible, not only if its range is known: ranges
 * open faster than any list of them, and the rate deck says what can be called.
 */
export function parseDialled(dialled: string, home_country: string): Dialled {
  const cleaned = cleanDialled(dialled);
  if (cleaned.kind === 'sos') return { kind: 'emergency', code: SOS_CODE };
  if (cleaned.kind === 'invalid') return cleaned;
  const { digits } = cleaned;
  if (isEmergency(digits, home_country)) return { kind: 'emergency', code: digits };
  if (digits.length > DIGITS_MAX) return { kind: 'invalid', reason: 'too_long' };
  if (digits.startsWith('+')) return international(digits.slice(1)) ?? { kind: 'invalid', reason: 'impossible' };
  const country = knownCountry(home_country);
  if (!country) return { kind: 'invalid', reason: 'unknown_country' };
  const found = withPrefix(digits, country) ?? national(digits, country);
  if (found) return found;
  return { kind: 'invalid', reason: digits.length <= SHORT_CODE_DIGITS_MAX ? 'short_code' : 'impossible' };
}

/** The emergency number that was dialled, as `parseDialled` would tell; null for anything else. It reads no numbering plan. */
export function emergencyCode(dialled: string, home_country: string): string | null {
  const cleaned = cleanDialled(dialled);
  if (cleaned.kind === 'sos') return SOS_CODE;
  return cleaned.kind === 'digits' && isEmergency(cleaned.digits, home_country) ? cleaned.digits : null;
}

type Found = Extract<Dialled, { kind: 'e164' }>;

/** Digits that begin with a calling code. Most are settled by a table; libphonenumber takes the others. */
function international(digits: string): Found | null {
  const sole = soleCallingCode(digits);
  if (sole) {
    const { code, numbering } = sole;
    // A 0 may be the trunk prefix of `+44 (0)20…`, which is not part of the number, or belong to it as in Italy.
    if (digits[code.length] !== '0' && numbering.lengths.has(digits.length - code.length)) {
      return found(`+${digits}`, numbering.country);
    }
  }
  const parsed = parsePhoneNumberFromString(`+${digits}`, { extract: false });
  return parsed?.isPossible() ? found(parsed.number, parsed.country ?? null) : null;
}

/**
 * Digits behind an international prefix. A plain `00` is tried first, everywhere: some countries have prefixes that go on
 * (001, 0060 in Hong Kong), and the longest would swallow the calling code of `001 650…` and ring in another country.
 */
function withPrefix(digits: string, country: CountryCode): Found | null {
  const plain = digits.startsWith('00') ? international(digits.slice(2)) : null;
  const rest = afterInternationalPrefix(digits, country);
  if (rest === null || rest === digits.slice(2)) return plain;
  const own = international(rest);
  return plain && (!own || isValid(plain.number)) ? plain : own;
}

function national(digits: string, country: CountryCode): Found | null {
  const parsed = parsePhoneNumberFromString(digits, { defaultCountry: country, extract: false });
  return parsed?.isPossible() ? found(parsed.number, parsed.country ?? null) : null;
}

function isValid(number: E164): boolean {
  return parsePhoneNumberFromString(number, { extract: false })?.isValid() ?? false;
}

function found(text: string, country: string | null): Found | null {
  const number = parseE164(text);
  return number && { kind: 'e164', number, country };
}
