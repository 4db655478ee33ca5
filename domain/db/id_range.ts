const HEX_DIGITS = 32;
const DIGITS_MIN = 8;

/** The ids that begin alike: both ends are among them. */
export interface IdRange {
  lowest: string;
  highest: string;
}

/**
 * The ids that a person may mean by this: a whole UUID, or the 8 or more hexadecimal digits that one begins with, in capitals and
 * without hyphens too. Null for what is neither.
 */
export function idRange(written: string): IdRange | null {
  const digits = written.trim().toLowerCase().replaceAll('-', '');
  if (digits.length < DIGITS_MIN || digits.length > HEX_DIGITS || !/^[0-9a-f]+$/u.test(digits)) return null;
  return { lowest: uuidOf(digits.padEnd(HEX_DIGITS, '0')), highest: uuidOf(digits.padEnd(HEX_DIGITS, 'f')) };
}

function uuidOf(digits: string): string {
  return digits.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/u, '$1-$2-$3-$4-$5');
}
