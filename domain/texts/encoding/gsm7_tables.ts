import type { NationalLanguage } from './national_language.ts';
import { scriptTables, UNASSIGNED } from './script_tables.ts';

/** The septet that leads from the locking to the single shift table; it is never a character by itself. */
export const ESCAPE = 0x1b;

/** The GSM 7 bit default alphabet (3GPP TS 23.038, 6.2.1), sixteen characters a line. */
const DEFAULT_ALPHABET =
  '@£$¥èéùìòÇ\nØø\rÅå' +
  'Δ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ' +
  ' !"#¤%&\'()*+,-./' +
  '0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNO' +
  'PQRSTUVWXYZÄÖÑÜ§' +
  '¿abcdefghijklmno' +
  'pqrstuvwxyzäöñüà';

type Places = Readonly<Record<number, string>>;

/** What follows an escape (6.2.1.1): place and character. The page break at 0A is a form feed. */
const EXTENSION: Places = {
  ...{ 0x0a: '\f', 0x14: '^', 0x28: '{', 0x29: '}', 0x2f: '\\' },
  ...{ 0x3c: '[', 0x3d: '~', 0x3e: ']', 0x40: '|', 0x65: '€' },
};

/** A.3.1 */
const TURKISH_LOCKING =
  '@£$¥€éùıòÇ\nĞğ\rÅå' +
  'Δ_ΦΓΛΩΠΨΣΘΞ\x1bŞşßÉ' +
  ' !"#¤%&\'()*+,-./' +
  '0123456789:;<=>?' +
  'İABCDEFGHIJKLMNO' +
  'PQRSTUVWXYZÄÖÑÜ§' +
  'çabcdefghijklmno' +
  'pqrstuvwxyzäöñüà';

/** A.3.3 */
const PORTUGUESE_LOCKING =
  '@£$¥êéúíóç\nÔô\rÁá' +
  'Δ_ªÇÀ∞^\\€Ó|\x1bÂâÊÉ' +
  ' !"#º%&\'()*+,-./' +
  '0123456789:;<=>?' +
  'ÍABCDEFGHIJKLMNO' +
  'PQRSTUVWXYZÃÕÚÜ§' +
  '~abcdefghijklmno' +
  'pqrstuvwxyzãõ`üà';

/** A.2.1 */
const TURKISH_SINGLE: Places = { 0x47: 'Ğ', 0x49: 'İ', 0x53: 'Ş', 0x63: 'ç', 0x67: 'ğ', 0x69: 'ı', 0x73: 'ş' };

/** A.2.2 */
const SPANISH_SINGLE: Places = {
  ...{ 0x09: 'ç', 0x41: 'Á', 0x49: 'Í', 0x4f: 'Ó', 0x55: 'Ú' },
  ...{ 0x61: 'á', 0x69: 'í', 0x6f: 'ó', 0x75: 'ú' },
};

/** A.2.3 */
const PORTUGUESE_SINGLE: Places = {
  ...{ 0x05: 'ê', 0x09: 'ç', 0x0b: 'Ô', 0x0c: 'ô', 0x0e: 'Á', 0x0f: 'á' },
  ...{ 0x12: 'Φ', 0x13: 'Γ', 0x15: 'Ω', 0x16: 'Π', 0x17: 'Ψ', 0x18: 'Σ', 0x19: 'Θ', 0x1f: 'Ê' },
  ...{ 0x41: 'À', 0x49: 'Í', 0x4f: 'Ó', 0x55: 'Ú', 0x5b: 'Ã', 0x5c: 'Õ' },
  ...{ 0x61: 'Â', 0x69: 'í', 0x6f: 'ó', 0x75: 'ú', 0x7b: 'ã', 0x7c: 'õ', 0x7f: 'â' },
};

/** The 128 characters of a locking shift table; null is the default alphabet. Spanish has none of its own. */
export function lockingTable(language: NationalLanguage | null): string {
  switch (language) {
    case null:
    case 'spanish':
      return DEFAULT_ALPHABET;
    case 'turkish':
      return TURKISH_LOCKING;
    case 'portuguese':
      return PORTUGUESE_LOCKING;
    default:
      return scriptTables(language).locking;
  }
}

/** The 128 characters that may follow an escape; null is the extension of the default alphabet. */
export function singleTable(language: NationalLanguage | null): string {
  switch (language) {
    case null:
      return placed(EXTENSION);
    case 'turkish':
      return placed({ ...EXTENSION, ...TURKISH_SINGLE });
    case 'spanish':
      return placed({ ...EXTENSION, ...SPANISH_SINGLE });
    case 'portuguese':
      return placed({ ...EXTENSION, ...PORTUGUESE_SINGLE });
    default:
      return scriptTables(language).single;
  }
}

/** Whether a language has a locking shift table of its own: all but Spanish do. */
export function hasLocking(language: NationalLanguage): boolean {
  return language !== 'spanish';
}

/** Every character of the default alphabet, and every one of its extension. */
export const gsm7Characters: readonly string[] = Array.from(DEFAULT_ALPHABET).filter((one) => one !== '\x1b');
export const gsm7ExtensionCharacters: readonly string[] = Object.values(EXTENSION);

function placed(places: Places): string {
  return Array.from({ length: 128 }, (_, place) => places[place] ?? UNASSIGNED).join('');
}
