/**
 * The languages that have tables of their own in 3GPP TS 23.038, at the place of their national language identifier less
 * one (table 6.2.1.2.4.1): Turkish is 1, Urdu 13.
 */
export const nationalLanguages = [
  'turkish',
  'spanish',
  'portuguese',
  'bengali',
  'gujarati',
  'hindi',
  'kannada',
  'malayalam',
  'oriya',
  'punjabi',
  'tamil',
  'telugu',
  'urdu',
] as const;

export type NationalLanguage = (typeof nationalLanguages)[number];

/** The identifier that stands in a user data header, 1 to 13. */
export function identifierOf(language: NationalLanguage): number {
  return nationalLanguages.indexOf(language) + 1;
}

/** The language of an identifier; null for 0 and for those that are reserved, which mean the default tables. */
export function languageOf(identifier: number): NationalLanguage | null {
  return nationalLanguages[identifier - 1] ?? null;
}
