import { ESCAPE, lockingTable, singleTable } from './gsm7_tables.ts';
import { identifierOf, type NationalLanguage } from './national_language.ts';
import { UNASSIGNED } from './script_tables.ts';

/** The tables in use for a text; null is the default alphabet, or its extension. */
export type ShiftPair = {
  readonly locking_shift: NationalLanguage | null;
  readonly single_shift: NationalLanguage | null;
};

export const plainShift: ShiftPair = { locking_shift: null, single_shift: null };

/** Says that a character is in neither table. */
export const NO_SEPTETS = 0xffff;

/**
 * For each UTF-16 code unit what it is in septets: below 0x80 one septet; `0x1b00 + septet` an escape and a septet, so
 * two; `NO_SEPTETS` where the pair of tables lacks it. All characters of all tables are one code unit.
 */
export type SeptetCodes = Uint16Array;

const codes_of_pair = new Map<number, SeptetCodes>();

/** The codes of a pair of tables; 128 KiB each, made when first asked for. */
export function septetCodes(pair: ShiftPair): SeptetCodes {
  const key = keyOf(pair);
  let codes = codes_of_pair.get(key);
  if (codes === undefined) {
    codes = buildCodes(lockingTable(pair.locking_shift), singleTable(pair.single_shift));
    codes_of_pair.set(key, codes);
  }
  return codes;
}

/** Where a character has several places, the cheapest counts, and of those the lowest. */
function buildCodes(locking: string, single: string): SeptetCodes {
  const codes = new Uint16Array(0x10000).fill(NO_SEPTETS);
  for (let septet = 127; septet >= 0; septet--) codes[single.charCodeAt(septet)] = (ESCAPE << 8) | septet;
  for (let septet = 127; septet >= 0; septet--) codes[locking.charCodeAt(septet)] = septet;
  codes[ESCAPE] = NO_SEPTETS;
  codes[UNASSIGNED.charCodeAt(0)] = NO_SEPTETS;
  return codes;
}

/** What each septet says when read: by itself, and after an escape. */
export type SeptetCharacters = { readonly locking: readonly string[]; readonly single: readonly string[] };

const characters_of_pair = new Map<number, SeptetCharacters>();

/**
 * As 3GPP TS 23.038 has it read (6.2.1.1): a place of the single shift table that holds nothing is read from the locking
 * table, a second escape after an escape is a space; and what no table has is U+FFFD.
 */
export function septetCharacters(pair: ShiftPair): SeptetCharacters {
  const key = keyOf(pair);
  let characters = characters_of_pair.get(key);
  if (characters === undefined) {
    const read = Array.from(lockingTable(pair.locking_shift), (one) => (one === UNASSIGNED ? '\ufffd' : one));
    const shifted = Array.from(singleTable(pair.single_shift), (one, septet) =>
      one === UNASSIGNED ? (read[septet] ?? '\ufffd') : one,
    );
    // An escape is a space to a handset that knows none, and so is one that leads nowhere.
    read[ESCAPE] = ' ';
    shifted[ESCAPE] = ' ';
    characters = { locking: read, single: shifted };
    characters_of_pair.set(key, characters);
  }
  return characters;
}

function keyOf({ locking_shift, single_shift }: ShiftPair): number {
  if (locking_shift === null && single_shift === null) return 0;
  return (locking_shift ? identifierOf(locking_shift) : 0) * 16 + (single_shift ? identifierOf(single_shift) : 0);
}
