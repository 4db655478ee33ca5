import { parseDialled } from './dialled.ts';
import { parseE164, type E164 } from './e164.ts';
import { isEmergency } from './emergency_numbers.ts';

/**
 * The number as one that calls may be forwarded to, given in full; null for what is no number of somebody: a short code, or a number for
 * help, with a calling code before it or not.
 */
export function parseForwardable(text: string, home_country: string): E164 | null {
  const number = parseE164(text);
  const dialled = parseDialled(text, home_country);
  if (number === null || dialled.kind !== 'e164' || dialled.number !== number) return null;
  // A calling code has one to three digits.
  const is_help = [2, 3, 4].some((begin) => isEmergency(number.slice(begin), dialled.country ?? home_country));
  return is_help ? null : number;
}
