import { describe, expect, test } from 'vitest';
import { countSegments, encodeText, type EncodedText } from './encode_text.ts';
import type { EncodingOptions } from './plan_text.ts';

/** What is expected of a text; written here, not asked of the code. */
type Row = readonly [name: string, text: string, encoding: 'gsm7' | 'ucs2', units: readonly number[]];

function encoded(text: string, options: EncodingOptions = {}): EncodedText {
  const result = encodeText(text, { segments_max: 255, ...options });
  if (result.kind === 'too_long') throw new Error(`${result.segments} segments`);
  return result;
}

function unitsOf(text: string, options: EncodingOptions = {}): number[] {
  return encoded(text, options).segments.map(({ units }) => units);
}

const code = (character: string): string => `U+${(character.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`;
const range = (from: number, to: number): string[] =>
  Array.from({ length: to - from + 1 }, (_, place) => String.fromCharCode(from + place));

// Written from the table of 3GPP TS 23.038, 6.2.1, by Unicode block.
const TWO_SEPTETS = '^{}\\[~]|€';
const LATIN1_IN_GSM7 = '¡£¤¥§¿ÄÅÆÇÉÑÖØÜßàäåæèéìñòöøùü';
const GREEK_IN_GSM7 = 'ΓΔΘΛΞΠΣΦΨΩ';

function single(character: string): Row {
  const name = `${code(character)} "${character}"`;
  if (TWO_SEPTETS.includes(character)) return [name, character, 'gsm7', [2]];
  const is_ascii = character !== '`' && character >= ' ' && character <= '~';
  const is_gsm7 = is_ascii || LATIN1_IN_GSM7.includes(character) || GREEK_IN_GSM7.includes(character);
  return [name, character, is_gsm7 ? 'gsm7' : 'ucs2', [character.length]];
}

const CHARACTERS: Row[] = [
  ...range(0x20, 0x7e).map(single),
  ...range(0xa0, 0xff).map(single),
  ...range(0x391, 0x3a1).map(single),
  ...range(0x3a3, 0x3c9).map(single),
  ...Array.from('€₤₺₽₴œŒŠšŽžŁłąęćńśźżĞğİıŞşŐőŰűřěůďťňĂăȘșȚțАБВГДЯабвгдяЂђІіЇїאבגדשתءابتثجحیگจขฃ日本語한글中文').map(
    single,
  ),
  ...Array.from('‘’“”–—…•™←→✓\u200b\u200d\u2028\ufeff\ufffd\ufffe\uffff').map(single),
  ...Array.from('😀👍🏽🇩🇪𝔘𐍈𠮷').map(single),
  ['line feed', '\n', 'gsm7', [1]],
  ['carriage return', '\r', 'gsm7', [1]],
  ['page break', '\f', 'gsm7', [2]],
  ['tab', '\t', 'ucs2', [1]],
  ['NUL', '\0', 'ucs2', [1]],
  ['escape', '\x1b', 'ucs2', [1]],
  ['delete', '\x7f', 'ucs2', [1]],
];

/** `n` units in segments of `part`, as one that fits into `single` stays whole. */
function filled(n: number, whole: number, part: number): number[] {
  if (n <= whole) return [n];
  return Array.from({ length: Math.ceil(n / part) }, (_, place) => Math.min(part, n - place * part));
}

const LENGTHS: Row[] = [
  ...[0, 1, 80, 152, 153, 154, 159, 160, 161, 305, 306, 307, 458, 459, 460, 1529, 1530, 1531, 39_015].map((n): Row => [
    `${n} × "a"`,
    'a'.repeat(n),
    'gsm7',
    filled(n, 160, 153),
  ]),
  ...[1, 66, 67, 68, 69, 70, 71, 133, 134, 135, 200, 201, 202, 669, 670, 671].map((n): Row => [
    `${n} × "я"`,
    'я'.repeat(n),
    'ucs2',
    filled(n, 70, 67),
  ]),
  // A segment of a long text holds 76 of them: 152 septets, and one stays free.
  ...[1, 40, 79, 80].map((n): Row => [`${n} × "€"`, '€'.repeat(n), 'gsm7', [2 * n]]),
  ['81 × "€"', '€'.repeat(81), 'gsm7', [152, 10]],
  ['152 × "€"', '€'.repeat(152), 'gsm7', [152, 152]],
  ['153 × "€"', '€'.repeat(153), 'gsm7', [152, 152, 2]],
  // A pair fills two of 67 units: 33 pairs a segment.
  ['35 × 😀', '😀'.repeat(35), 'ucs2', [70]],
  ['36 × 😀', '😀'.repeat(36), 'ucs2', [66, 6]],
  ['66 × 😀', '😀'.repeat(66), 'ucs2', [66, 66]],
  ['67 × 😀', '😀'.repeat(67), 'ucs2', [66, 66, 2]],
];

const places = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

const BORDERS: Row[] = [
  ...places(140, 159).map((before): Row => {
    const first = before === 152 ? 152 : 153;
    return [`"€" behind ${before}`, `${'a'.repeat(before)}€${'b'.repeat(40)}`, 'gsm7', [first, before + 42 - first]];
  }),
  ...places(55, 75).map((before): Row => {
    const first = before === 66 ? 66 : 67;
    return [`😀 behind ${before}`, `${'я'.repeat(before)}😀${'я'.repeat(20)}`, 'ucs2', [first, before + 22 - first]];
  }),
  // The escape is septet 153 and would be parted from what it leads to.
  ...Array.from(`${TWO_SEPTETS}\f`).map((one): Row => [
    `${code(one)} at septets 153 and 154`,
    'a'.repeat(152) + one + 'b'.repeat(20),
    'gsm7',
    [152, 22],
  ]),
  ['an escape ending a segment', 'a'.repeat(151) + '€' + 'b'.repeat(20), 'gsm7', [153, 20]],
  ['an escape beginning a segment', 'a'.repeat(153) + '€' + 'b'.repeat(20), 'gsm7', [153, 22]],
  ['an escape at both borders', 'a'.repeat(152) + '€' + 'b'.repeat(150) + '€c', 'gsm7', [152, 152, 3]],
  ['an escape that costs a segment', 'a'.repeat(152) + '€' + 'b'.repeat(152), 'gsm7', [152, 153, 1]],
  ['an escape at the very end of one segment', 'a'.repeat(158) + '€', 'gsm7', [160]],
  ['an escape over the end of one segment', 'a'.repeat(159) + '€', 'gsm7', [153, 8]],
  ['a pair at units 67 and 68', 'я'.repeat(66) + '😀' + 'я'.repeat(10), 'ucs2', [66, 12]],
  ['a pair ending a segment', 'я'.repeat(65) + '😀' + 'я'.repeat(10), 'ucs2', [67, 10]],
  ['a pair beginning a segment', 'я'.repeat(67) + '😀' + 'я'.repeat(10), 'ucs2', [67, 12]],
  ['a pair that costs a segment', 'я'.repeat(66) + '😀' + 'я'.repeat(66), 'ucs2', [66, 67, 1]],
  ['a pair at the very end of one segment', 'я'.repeat(68) + '😀', 'ucs2', [70]],
  ['a pair over the end of one segment', 'я'.repeat(69) + '😀', 'ucs2', [67, 4]],
  // 11 units: man, woman, girl, boy and three joiners. Cut at 67 it would fall apart.
  ['a family moves whole', 'я'.repeat(60) + '👨‍👩‍👧‍👦' + 'я'.repeat(10), 'ucs2', [60, 21]],
  ['a family that just fits', 'я'.repeat(56) + '👨‍👩‍👧‍👦' + 'я'.repeat(10), 'ucs2', [67, 10]],
  ['a family is cut where moving it costs a segment', 'я'.repeat(60) + '👨‍👩‍👧‍👦' + 'я'.repeat(60), 'ucs2', [66, 65]],
  ['a flag moves whole', 'я'.repeat(65) + '🇩🇪' + 'я'.repeat(10), 'ucs2', [65, 14]],
  ['a skin colour stays with its hand', 'я'.repeat(65) + '👍🏽' + 'я'.repeat(10), 'ucs2', [65, 14]],
  ['an accent stays with its letter', 'я'.repeat(66) + 'e\u0301' + 'я'.repeat(10), 'ucs2', [66, 12]],
  ['a Hindi syllable stays whole', 'क'.repeat(66) + 'कि' + 'क'.repeat(10), 'ucs2', [66, 12]],
  ['a cluster longer than a segment is cut', 'e' + '\u0301'.repeat(140), 'ucs2', [67, 67, 7]],
];

const TEXTS: Row[] = [
  ['lower-case ç', 'garçon', 'ucs2', [6]],
  ['upper-case Ç', 'GARÇON', 'gsm7', [6]],
  ['a price in euro', 'Rent: 1.250,00 €', 'gsm7', [17]],
  ['JSON', '{"a":[1,2]}', 'gsm7', [15]],
  ['a backtick', 'run `ls`', 'ucs2', [8]],
  ['Greek capitals of GSM 7', 'ΦΩΣ', 'gsm7', [3]],
  ['Greek capitals that only look Latin', 'ΑΒΕ', 'ucs2', [3]],
  ['Greek', 'Καλημέρα', 'ucs2', [8]],
  ['Arabic', 'مرحبا', 'ucs2', [5]],
  ['Hebrew', 'שלום', 'ucs2', [4]],
  ['Hebrew and Latin', 'שלום Peter 5', 'ucs2', [12]],
  ['a curly apostrophe turns all to UCS-2', `${'a'.repeat(100)}’`, 'ucs2', [67, 34]],
  ['accents of GSM 7', 'Ça à été où? Ñandú', 'ucs2', [18]],
  ['accents of GSM 7 alone', 'Più caffè à Köln, Øre, Ñ', 'gsm7', [24]],
  ['decomposed é', 'e\u0301', 'ucs2', [2]],
  ['family', '👨‍👩‍👧‍👦', 'ucs2', [11]],
];

describe.each([
  ['characters', CHARACTERS],
  ['lengths', LENGTHS],
  ['borders', BORDERS],
  ['texts', TEXTS],
])('expected %s', (_, rows) => {
  test.each(rows)('%s', (_name, text, encoding, units) => {
    const result = encoded(text);
    expect(result.encoding).toBe(encoding);
    expect(result.segments.map((one) => one.units)).toEqual(units);
    expect(result.units).toBe(units.reduce((sum, one) => sum + one, 0));
    const counted = countSegments(text, { segments_max: 255 });
    expect(counted).toMatchObject({ kind: 'counted', encoding, units: result.units, segments: units.length });
  });
});

test('the tables of expectations hold about 500 texts', () => {
  expect(CHARACTERS.length + LENGTHS.length + BORDERS.length + TEXTS.length).toBeGreaterThan(480);
});

test('payloads are septets one an octet, and UTF-16 big endian', () => {
  expect([...(encoded('@a€Ω').segments[0]?.payload ?? [])]).toEqual([0x00, 0x61, 0x1b, 0x65, 0x15]);
  expect([...(encoded('я😀').segments[0]?.payload ?? [])]).toEqual([0x04, 0x4f, 0xd8, 0x3d, 0xde, 0x00]);
});

test('a lone surrogate becomes U+FFFD, a pair does not', () => {
  const result = encoded('a\ud83d b\ude00 😀');
  expect(result.text).toBe('a\ufffd b\ufffd 😀');
  expect([...(result.segments[0]?.payload.subarray(2, 4) ?? [])]).toEqual([0xff, 0xfd]);
});

test('a 16 bit reference takes one more octet of each segment of a long text', () => {
  const reference_bits = 16;
  expect(unitsOf('a'.repeat(160), { reference_bits })).toEqual([160]);
  expect(unitsOf('a'.repeat(306), { reference_bits })).toEqual([152, 152, 2]);
  expect(unitsOf('я'.repeat(70), { reference_bits })).toEqual([70]);
  expect(unitsOf('я'.repeat(134), { reference_bits })).toEqual([66, 66, 2]);
});

test('a text of more segments than allowed is refused, with how many it takes', () => {
  const refusal = { kind: 'too_long', segments: 11, segments_max: 10 };
  for (const text of ['a'.repeat(1531), 'я'.repeat(671)]) {
    expect(encodeText(text)).toEqual(refusal);
    expect(countSegments(text)).toEqual(refusal);
  }
  expect(encodeText('a'.repeat(161), { segments_max: 1 })).toMatchObject({ kind: 'too_long', segments: 2 });
  // A total is one octet, whatever the caller allows.
  expect(encodeText('a'.repeat(39_016), { segments_max: 1000 })).toMatchObject({ segments: 256, segments_max: 255 });
});

const TURKISH_ONLY = 'ığş';

test('national tables are taken only where they are listed and save a segment', () => {
  const text = TURKISH_ONLY.repeat(30);
  expect(encoded(text)).toMatchObject({ encoding: 'ucs2', locking_shift: null, single_shift: null });
  const turkish = { national_languages: ['turkish'] as const };
  expect(encoded(text, turkish)).toMatchObject({ encoding: 'gsm7', locking_shift: 'turkish', single_shift: null });
  // Where both take one segment, UCS-2 is what every handset reads.
  expect(encoded(TURKISH_ONLY, turkish)).toMatchObject({ encoding: 'ucs2' });
  expect(encoded('Merhaba', turkish)).toMatchObject({ encoding: 'gsm7', locking_shift: null });
  expect(encoded('я' + text, turkish)).toMatchObject({ encoding: 'ucs2' });
});

test('fewer tables come first, and a single shift before a locking shift', () => {
  const spanish = { national_languages: ['spanish'] as const };
  expect(encoded('á'.repeat(71), spanish)).toMatchObject({ single_shift: 'spanish', locking_shift: null, units: 142 });
  const turkish = { national_languages: ['turkish'] as const };
  expect(encoded('ş' + 'a'.repeat(100), turkish)).toMatchObject({ single_shift: 'turkish', locking_shift: null });
  expect(encoded('ş'.repeat(100), turkish)).toMatchObject({ single_shift: null, locking_shift: 'turkish' });
  const both = encoded('ã∞Φ'.repeat(30), { national_languages: ['portuguese'] });
  expect(both).toMatchObject({ encoding: 'gsm7', single_shift: 'portuguese', locking_shift: 'portuguese', units: 120 });
});

test('plain GSM 7 gives way to a national table that saves a segment', () => {
  const text = '^'.repeat(100);
  expect(unitsOf(text)).toEqual([152, 48]);
  const portuguese = encoded(text, { national_languages: ['portuguese'] });
  expect(portuguese).toMatchObject({ locking_shift: 'portuguese', units: 100 });
  expect(portuguese.segments).toHaveLength(1);
});

test.each([
  ['one table, one segment', 'turkish', 'ş'.repeat(155), [155]],
  ['one table, more segments', 'turkish', 'ş'.repeat(156), [149, 7]],
  // "∞" is in the locking shift only, "Φ" in the single shift only: three septets.
  ['two tables, one segment', 'portuguese', 'Φ∞'.repeat(50) + '∞∞', [152]],
  ['two tables, more segments', 'portuguese', 'Φ∞'.repeat(50) + '∞'.repeat(35), [146, 39]],
] as const)('room for national elements: %s', (_, language, text, units) => {
  expect(unitsOf(text, { national_languages: [language] })).toEqual(units);
});
