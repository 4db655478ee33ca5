import { getCountries, getCountryCallingCode, Metadata, type CountryCode } from 'libphonenumber-js/max';

const E164_DIGITS_MAX = 15;

/** A calling code that belongs to one country alone, and how many digits its national numbers may have. */
export type CallingCode = { readonly country: CountryCode; readonly lengths: ReadonlySet<number> };

const NUMBERING = new Map(getCountries().map((country) => [country, numberingOf(country)] as const));
const CALLING_CODES = soleCallingCodes();

/** The calling code with which these digits begin, if only one country has it. Calling codes have 1 to 3 digits. */
export function soleCallingCode(digits: string): { code: string; numbering: CallingCode } | null {
  for (let length = 1; length <= 3; length += 1) {
    const code = digits.slice(0, length);
    const numbering = CALLING_CODES.get(code);
    if (numbering) return { code, numbering };
  }
  return null;
}

/** The country if libphonenumber knows it by this ISO 3166-1 code, else null. */
export function knownCountry(country: string): CountryCode | null {
  return isKnown(country) ? country : null;
}

/** The digits behind the country's own international prefix (00, 011, 010, 810, …), or null where it is not dialled. */
export function afterInternationalPrefix(digits: string, country: CountryCode): string | null {
  const prefix = NUMBERING.get(country)?.prefix.exec(digits)?.[0];
  return prefix ? digits.slice(prefix.length) : null;
}

function isKnown(country: string): country is CountryCode {
  return (NUMBERING as ReadonlyMap<string, unknown>).has(country);
}

function numberingOf(country: CountryCode): { prefix: RegExp; lengths: number[] } {
  const metadata = new Metadata();
  metadata.selectNumberingPlan(country);
  const plan = metadata.numberingPlan;
  if (!plan) throw new Error(`libphonenumber has no numbering plan for ${country}.`);
  return { prefix: new RegExp(`^(?:${plan.IDDPrefix()})`), lengths: plan.possibleLengths() };
}

function soleCallingCodes(): ReadonlyMap<string, CallingCode> {
  const codes = new Map<string, CountryCode[]>();
  for (const country of NUMBERING.keys()) {
    const code = getCountryCallingCode(country);
    codes.set(code, [...(codes.get(code) ?? []), country]);
  }
  return new Map(
    [...codes].flatMap(([code, [country, ...others]]): [string, CallingCode][] => {
      if (!country || others.length > 0) return [];
      const lengths = NUMBERING.get(country)?.lengths.filter((length) => code.length + length <= E164_DIGITS_MAX);
      return [[code, { country, lengths: new Set(lengths) }]];
    }),
  );
}
