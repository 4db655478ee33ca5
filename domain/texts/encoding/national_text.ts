import { countSegments, encodeText, type EncodedText } from './encode_text.ts';
import { gsm7Characters, gsm7ExtensionCharacters } from './gsm7_tables.ts';
import { nationalLanguages, type NationalLanguage } from './national_language.ts';
import { PARTS_MAX, type TextTooLong } from './segment.ts';

/**
 * Texts that go out by the tables of a language, where UCS-2 would take more segments: counted by one language alone, so that its name
 * follows from what the text says and from how many segments it was counted as. So nothing else has to be stored of it, and whoever
 * sends a part, or sends one again, cuts it as it was counted.
 */

/** No text that is shorter fits less than one segment of UCS-2, which nothing saves. */
const SAVED_FROM_UNITS = 71;

/**
 * Most texts have nothing but these, of which GSM 7 lacks the grave accent alone. Every bind that a text could go by asks, and so it takes
 * a tenth of the time that a look at each character takes.
 */
const NOT_ASCII = /[^\0-_a-\x7f]/u;
/** What plain GSM 7 has not. */
const NOT_PLAIN = new RegExp(
  `[^${[...gsm7Characters, ...gsm7ExtensionCharacters].map((one) => `\\u{${(one.codePointAt(0) ?? 0).toString(16)}}`).join('')}]`,
  'u',
);

/** Whether what was counted as GSM 7 is so by a language's tables only. */
export function needsNationalTables(text: string): boolean {
  return text.length >= SAVED_FROM_UNITS && NOT_ASCII.test(text) && NOT_PLAIN.test(text);
}

/** The first language by whose tables the text has that many segments; null where none has so few, or so many. */
export function nationalLanguageOf(text: string, segments: number): NationalLanguage | null {
  return nationalLanguages.find((language) => segmentsIn(text, language) === segments) ?? null;
}

/**
 * In how few segments a text goes out by the tables of one of these languages; null where they save nothing, or where the text needs
 * none of them: what is plain GSM 7 is sent so, as every handset reads that.
 */
export function countNationalSegments(text: string, languages: readonly NationalLanguage[]): number | null {
  if (languages.length === 0 || !needsNationalTables(text)) return null;
  let fewest: number | null = null;
  for (const language of languages) {
    const segments = segmentsIn(text, language);
    if (segments === null || (fewest !== null && fewest <= segments)) continue;
    // Another language that comes first and takes as many would be taken for it.
    if (nationalLanguageOf(text, segments) === language) fewest = segments;
  }
  return fewest;
}

/** As it was counted when it was accepted; too long only where it never was. */
export function encodeAsCounted(text: string, encoding: 'gsm7' | 'ucs2', segments: number): EncodedText | TextTooLong {
  const language = encoding === 'gsm7' && needsNationalTables(text) ? nationalLanguageOf(text, segments) : null;
  return encodeText(text, { segments_max: PARTS_MAX, national_languages: language === null ? [] : [language] });
}

/** Null where the language's tables do not have all of its characters, or save nothing. */
function segmentsIn(text: string, language: NationalLanguage): number | null {
  const counted = countSegments(text, { national_languages: [language], segments_max: PARTS_MAX });
  if (counted.kind === 'too_long' || counted.encoding !== 'gsm7') return null;
  return counted.locking_shift === null && counted.single_shift === null ? null : counted.segments;
}
