import type { NationalLanguage } from './national_language.ts';

/** The two tables of a language, 128 characters each, some of them `UNASSIGNED`. */
export type ShiftTables = { readonly locking: string; readonly single: string };

/** Marks a place that each script fills with a letter of its own. */
const OWN = '·';

/** Marks a place that holds nothing. It is a noncharacter of Unicode, so no text can mean it. */
export const UNASSIGNED = '\uffff';

/** What the locking shift tables of all these scripts have in common (3GPP TS 23.038, A.3.4 to A.3.13). */
const LOCKING_FRAME =
  '··········\n··\r··' +
  '···········\x1b····' +
  ' !······)(··,·.·' +
  '0123456789:;···?' +
  '················' +
  '················' +
  '·abcdefghijklmno' +
  'pqrstuvwxyz·····';

/** The same for their single shift tables (A.2.4 to A.2.13). */
const SINGLE_FRAME =
  '@£$¥¿"¤%&\'\f*+ -/' +
  '<=>¡^¡_#*··\x1b····' +
  '········{}·····\\' +
  '············[~]·' +
  '|ABCDEFGHIJKLMNO' +
  'PQRSTUVWXYZ     ' +
  '     €          ' +
  '                ';

/**
 * The letters of each script in the order of its free places: two hexadecimal digits are an offset in the Unicode block
 * that begins at `block`, four are a code point, `--` is a place that holds nothing. A line here is a line of the table.
 */
type Script = { readonly block: number; readonly locking: string; readonly single: string };

type ScriptLanguage = Exclude<NationalLanguage, 'turkish' | 'spanish' | 'portuguese'>;

const SCRIPTS: Readonly<Record<ScriptLanguage, Script>> = {
  bengali: {
    block: 0x0900,
    locking: `81 82 83 85 86 87 88 89 8a 8b 8c -- -- 8f
      90 -- -- 93 94 95 96 97 98 99 9a 9b 9c 9d 9e
      9f a0 a1 a2 a3 a4 a5 a6 a7 a8
      -- aa ab
      ac ad ae af b0 -- b2 -- -- -- b6 b7 b8 b9 bc bd
      be bf c0 c1 c2 c3 c4 -- -- c7 c8 -- -- cb cc cd
      ce
      d7 dc dd f0 f1`,
    single: `e6 e7 e8 e9 ea eb
      ec ed ee ef df e0 e1 e2 e3 f2 f3 f4 f5
      f6 f7 f8 f9 fa -- -- -- -- -- -- -- --`,
  },
  gujarati: {
    block: 0x0a00,
    locking: `81 82 83 85 86 87 88 89 8a 8b 8c 8d -- 8f
      90 91 -- 93 94 95 96 97 98 99 9a 9b 9c 9d 9e
      9f a0 a1 a2 a3 a4 a5 a6 a7 a8
      -- aa ab
      ac ad ae af b0 -- b2 b3 -- b5 b6 b7 b8 b9 bc bd
      be bf c0 c1 c2 c3 c4 c5 -- c7 c8 c9 -- cb cc cd
      d0
      e0 e1 e2 e3 f1`,
    single: `0964 0965 e6 e7 e8 e9
      ea eb ec ed ee ef -- -- -- -- -- -- --
      -- -- -- -- -- -- -- -- -- -- -- -- --`,
  },
  hindi: {
    block: 0x0900,
    locking: `01 02 03 05 06 07 08 09 0a 0b 0c 0d 0e 0f
      10 11 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e
      1f 20 21 22 23 24 25 26 27 28
      29 2a 2b
      2c 2d 2e 2f 30 31 32 33 34 35 36 37 38 39 3c 3d
      3e 3f 40 41 42 43 44 45 46 47 48 49 4a 4b 4c 4d
      50
      72 7b 7c 7e 7f`,
    single: `64 65 66 67 68 69
      6a 6b 6c 6d 6e 6f 51 52 53 54 58 59 5a
      5b 5c 5d 5e 5f 60 61 62 63 70 71 -- --`,
  },
  kannada: {
    block: 0x0c00,
    locking: `-- 82 83 85 86 87 88 89 8a 8b 8c -- 8e 8f
      90 -- 92 93 94 95 96 97 98 99 9a 9b 9c 9d 9e
      9f a0 a1 a2 a3 a4 a5 a6 a7 a8
      -- aa ab
      ac ad ae af b0 b1 b2 b3 -- b5 b6 b7 b8 b9 bc bd
      be bf c0 c1 c2 c3 c4 -- c6 c7 c8 -- ca cb cc cd
      d5
      d6 e0 e1 e2 e3`,
    single: `0964 0965 e6 e7 e8 e9
      ea eb ec ed ee ef de f1 f2 -- -- -- --
      -- -- -- -- -- -- -- -- -- -- -- -- --`,
  },
  malayalam: {
    block: 0x0d00,
    locking: `-- 02 03 05 06 07 08 09 0a 0b 0c -- 0e 0f
      10 -- 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e
      1f 20 21 22 23 24 25 26 27 28
      -- 2a 2b
      2c 2d 2e 2f 30 31 32 33 34 35 36 37 38 39 -- 3d
      3e 3f 40 41 42 43 44 -- 46 47 48 -- 4a 4b 4c 4d
      57
      60 61 62 63 79`,
    single: `0964 0965 66 67 68 69
      6a 6b 6c 6d 6e 6f 70 71 72 73 74 75 7a
      7b 7c 7d 7e 7f -- -- -- -- -- -- -- --`,
  },
  oriya: {
    block: 0x0b00,
    locking: `01 02 03 05 06 07 08 09 0a 0b 0c -- -- 0f
      10 -- -- 13 14 15 16 17 18 19 1a 1b 1c 1d 1e
      1f 20 21 22 23 24 25 26 27 28
      -- 2a 2b
      2c 2d 2e 2f 30 -- 32 33 -- 35 36 37 38 39 3c 3d
      3e 3f 40 41 42 43 44 -- -- 47 48 -- -- 4b 4c 4d
      56
      57 60 61 62 63`,
    single: `0964 0965 66 67 68 69
      6a 6b 6c 6d 6e 6f 5c 5d 5f 70 71 -- --
      -- -- -- -- -- -- -- -- -- -- -- -- --`,
  },
  punjabi: {
    block: 0x0a00,
    locking: `01 02 03 05 06 07 08 09 0a -- -- -- -- 0f
      10 -- -- 13 14 15 16 17 18 19 1a 1b 1c 1d 1e
      1f 20 21 22 23 24 25 26 27 28
      -- 2a 2b
      2c 2d 2e 2f 30 -- 32 33 -- 35 36 -- 38 39 3c --
      3e 3f 40 41 42 -- -- -- -- 47 48 -- -- 4b 4c 4d
      51
      70 71 72 73 74`,
    single: `0964 0965 66 67 68 69
      6a 6b 6c 6d 6e 6f 59 5a 5b 5c 5e 75 --
      -- -- -- -- -- -- -- -- -- -- -- -- --`,
  },
  tamil: {
    block: 0x0b00,
    locking: `-- 82 83 85 86 87 88 89 8a -- -- -- 8e 8f
      90 -- 92 93 94 95 -- -- -- 99 9a -- 9c -- 9e
      9f -- -- -- a3 a4 -- -- -- a8
      a9 aa --
      -- -- ae af b0 b1 b2 b3 b4 b5 b6 b7 b8 b9 -- --
      be bf c0 c1 c2 -- -- -- c6 c7 c8 -- ca cb cc cd
      d0
      d7 f0 f1 f2 f9`,
    single: `0964 0965 e6 e7 e8 e9
      ea eb ec ed ee ef f3 f4 f5 f6 f7 f8 fa
      -- -- -- -- -- -- -- -- -- -- -- -- --`,
  },
  telugu: {
    block: 0x0c00,
    locking: `01 02 03 05 06 07 08 09 0a 0b 0c -- 0e 0f
      10 -- 12 13 14 15 16 17 18 19 1a 1b 1c 1d 1e
      1f 20 21 22 23 24 25 26 27 28
      -- 2a 2b
      2c 2d 2e 2f 30 31 32 33 -- 35 36 37 38 39 -- 3d
      3e 3f 40 41 42 43 44 -- 46 47 48 -- 4a 4b 4c 4d
      55
      56 60 61 62 63`,
    single: `-- -- 66 67 68 69
      6a 6b 6c 6d 6e 6f 58 59 78 79 7a 7b 7c
      7d 7e 7f -- -- -- -- -- -- -- -- -- --`,
  },
  urdu: {
    block: 0x0600,
    locking: `27 22 28 7b 80 7e a6 2a c2 7f 79 7d 7a 7c
      2b 2c 81 84 83 85 86 87 2d 2e 2f 8c 88 89 8a
      8f 8d 30 31 91 93 99 32 96 98
      9a 33 34
      35 36 37 38 39 41 42 a9 aa ab af b3 b1 44 45 46
      ba bb bc 48 c4 d5 c1 be 21 cc d0 d2 4d 50 4f 57
      54
      55 51 53 56 70`,
    single: `00 01 f0 f1 f2 f3
      f4 f5 f6 f7 f8 f9 0c 0d 0e 0f 10 11 12
      13 14 1b 1f 40 52 58 6b 6c 72 73 cd d4`,
  },
};

/** The tables of a language with a script of its own. */
export function scriptTables(language: ScriptLanguage): ShiftTables {
  const { block, locking, single } = SCRIPTS[language];
  return {
    locking: fill(LOCKING_FRAME, block, locking),
    single: fill(SINGLE_FRAME, block, single).replaceAll(' ', UNASSIGNED),
  };
}

function fill(frame: string, block: number, letters: string): string {
  const own = letters.split(/\s+/u).values();
  return Array.from(frame, (place) => (place === OWN ? letterOf(own.next().value ?? '--', block) : place)).join('');
}

function letterOf(digits: string, block: number): string {
  if (digits === '--') return UNASSIGNED;
  const code = Number.parseInt(digits, 16);
  return String.fromCharCode(digits.length === 4 ? code : block + code);
}
