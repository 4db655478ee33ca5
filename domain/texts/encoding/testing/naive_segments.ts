import { lockingTable, singleTable } from '../gsm7_tables.ts';
import type { ShiftPair } from '../septet_codes.ts';

/**
 * How many segments a text takes, written so that it can be checked by reading: the text becomes a list of pieces that
 * must not be split, and these are packed one by one. Null where the tables lack a character.
 */
export function naiveGsm7(text: string, pair: ShiftPair, reference_bits: 8 | 16): number[] | null {
  const locking = Array.from(lockingTable(pair.locking_shift)).filter((one) => !'\x1b\uffff'.includes(one));
  const single = Array.from(singleTable(pair.single_shift)).filter((one) => !'\x1b\uffff'.includes(one));
  const pieces: number[] = [];
  for (const character of text.split('')) {
    if (locking.includes(character)) pieces.push(1);
    else if (single.includes(character)) pieces.push(2);
    else return null;
  }
  const elements = (pair.locking_shift ? 3 : 0) + (pair.single_shift ? 3 : 0);
  const septetsBeside = (header_octets: number): number => Math.floor(((140 - header_octets) * 8) / 7);
  return pack(
    pieces,
    septetsBeside(elements === 0 ? 0 : 1 + elements),
    septetsBeside(1 + (reference_bits === 8 ? 5 : 6) + elements),
  );
}

export function naiveUcs2(text: string, reference_bits: 8 | 16): number[] {
  const pieces = Array.from(text, (character) => character.length);
  return pack(pieces, 70, reference_bits === 8 ? 67 : 66);
}

/** The units that each segment holds. */
function pack(pieces: readonly number[], single: number, part: number): number[] {
  const all = pieces.reduce((sum, piece) => sum + piece, 0);
  if (all <= single) return [all];
  const segments = [0];
  for (const piece of pieces) {
    const last = segments.length - 1;
    const held = segments[last] ?? 0;
    if (held + piece <= part) segments[last] = held + piece;
    else segments.push(piece);
  }
  return segments;
}
