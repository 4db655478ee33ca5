import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { alphabetOf, type DefaultAlphabet } from './data_coding.ts';
import { decodeParts, decodeText, type DecodingOptions } from './decode_text.ts';
import { packSeptets, fillBits } from './septets.ts';
import { parseUdh, type Udh } from './udh.ts';

const of = (...octets: number[]): Uint8Array => Uint8Array.from(octets);

function text(octets: Uint8Array, data_coding: number, udh: Udh | null = null, options: DecodingOptions = {}): string {
  const decoded = decodeText(octets, data_coding, udh, options);
  return decoded.kind === 'text' ? decoded.text : `hex ${decoded.hex}`;
}

function header(...octets: number[]): Udh {
  const udh = parseUdh(of(octets.length, ...octets));
  if (udh.kind === 'malformed_udh') throw new Error(udh.reason);
  return udh;
}

describe('GSM 7', () => {
  test('characters, and those behind an escape', () => {
    expect(text(of(0x00, 0x61, 0x1b, 0x65, 0x15, 0x1b, 0x3c), 0)).toBe('@a€Ω[');
  });

  test('an escape to nothing is read from the main table, a second escape is a space, and a last one too', () => {
    expect(text(of(0x1b, 0x61, 0x62), 0)).toBe('ab');
    expect(text(of(0x61, 0x1b, 0x1b, 0x62), 0)).toBe('a b');
    expect(text(of(0x61, 0x1b), 0)).toBe('a ');
  });

  test('an octet that is no septet is U+FFFD, also behind an escape', () => {
    expect(text(of(0x61, 0x80, 0xff, 0x1b, 0xe9, 0x62), 0)).toBe('a\ufffd\ufffd\ufffdb');
  });

  test('national tables are those that the header names', () => {
    expect(text(of(0x07, 0x60, 0x1b, 0x73), 0, header(0x25, 1, 1))).toBe('ıçs');
    expect(text(of(0x07, 0x60, 0x1b, 0x73), 0, header(0x24, 1, 1))).toBe('ì¿ş');
    expect(text(of(0x15, 0x33, 0x1b, 0x1d), 0, header(0x24, 1, 6, 0x25, 1, 6))).toBe('क3१');
    // Spanish has no locking shift of its own, and 14 names no language.
    expect(text(of(0x09), 0, header(0x25, 1, 2))).toBe('Ç');
    expect(text(of(0x09), 0, header(0x25, 1, 14))).toBe('Ç');
    // A place of the Bengali table that holds nothing.
    expect(text(of(0x61, 0x0c), 0, header(0x25, 1, 4))).toBe('a\ufffd');
  });

  test('packed septets begin behind the fill bits of the header', () => {
    const septets = of(0x61, 0x1b, 0x65, 0x62);
    const packed = { default_alphabet: 'gsm7_packed' } as const;
    expect(text(packSeptets(septets), 0, null, packed)).toBe('a€b');
    const udh = header(0, 3, 9, 2, 1);
    expect(text(packSeptets(septets, fillBits(6)), 0, udh, packed)).toBe('a€b');
    expect(text(packSeptets(septets), 0xf1, null, packed)).toBe('a€b');
  });
});

describe('data codings', () => {
  test.each([
    [0x01, [0x24, 0x41, 0x60, 0xe9], '$A`\ufffd'],
    [0x03, [0x24, 0x41, 0xe9, 0x80, 0x81, 0x9f, 0xa0, 0xff], '$Aé€\ufffdŸ\u00a0ÿ'],
    [0x02, [0x00, 0xff], 'hex 00ff'],
    [0x04, [0x00, 0xff], 'hex 00ff'],
    [0x05, [0x93, 0xfa, 0x96, 0x7b], '日本'],
    [0x05, [0x1b, 0x24, 0x42, 0x46, 0x7c, 0x4b, 0x5c, 0x1b, 0x28, 0x42], '日本'],
    [0x06, [0xbf, 0xe0, 0xd8, 0xd2, 0xd5, 0xe2], 'Привет'],
    [0x07, [0xf9, 0xec, 0xe5, 0xed], 'שלום'],
    [0x08, [0x04, 0x1f, 0xd8, 0x3d, 0xde, 0x00], 'П😀'],
    [0x0a, [0x1b, 0x24, 0x42, 0x46, 0x7c, 0x1b, 0x28, 0x42, 0x41], '日A'],
    [0x0d, [0xc6, 0xfc, 0xcb, 0xdc], '日本'],
    [0x0e, [0xc7, 0xd1, 0xb1, 0xdb], '한글'],
    [0x10, [0x00, 0x61], '@a'],
    [0x14, [0x00, 0x61], 'hex 0061'],
    [0x18, [0x00, 0x61], 'a'],
    [0x19, [0x00, 0x61], 'a'],
    [0x21, [0x00, 0x61], 'hex 0061'],
    [0x48, [0x00, 0x61], 'a'],
    [0xc8, [0x00, 0x61], '@a'],
    [0xd8, [0x00, 0x61], '@a'],
    [0xe8, [0x00, 0x61], 'a'],
    [0xf0, [0x00, 0x61], '@a'],
    [0xf1, [0x00, 0x61], '@a'],
    [0xf4, [0x00, 0x61], 'hex 0061'],
    [0xf5, [0x00, 0x61], 'hex 0061'],
    [0x80, [0x00, 0x61], '@a'],
    [0x0f, [0x00, 0x61], '@a'],
  ])('0x%s', (data_coding, octets, expected) => {
    expect(text(Uint8Array.from(octets), data_coding)).toBe(expected);
  });

  test.each<[DefaultAlphabet, string]>([
    ['gsm7', '@Ω€'],
    ['ascii', ''],
    ['latin1', 'é'],
  ])('0 is what the carrier takes for it: %s', (default_alphabet, expected) => {
    const octets = { gsm7: of(0x00, 0x15, 0x1b, 0x65), ascii: of(0x00, 0x15), latin1: of(0xe9), gsm7_packed: of() };
    expect(text(octets[default_alphabet], 0, null, { default_alphabet })).toBe(expected);
    // A coding that names GSM 7 is not touched by that.
    expect(text(of(0x00, 0x15), 0xf1, null, { default_alphabet })).toBe('@Ω');
  });

  test('every data coding has an alphabet', () => {
    const known = ['default', 'gsm7', 'binary', 'ucs2', 'ascii', 'latin1', 'shift_jis', 'iso_8859_5', 'iso_8859_8'];
    known.push('iso_2022_jp', 'euc_jp', 'ks_c_5601');
    for (let coding = 0; coding < 256; coding++) expect(known).toContain(alphabetOf(coding));
  });
});

describe('UCS-2', () => {
  test('a byte order mark and an odd last octet are dropped, a lone surrogate is U+FFFD', () => {
    expect(text(of(0xfe, 0xff, 0x04, 0x1f), 8)).toBe('П');
    expect(text(of(0x04, 0x1f, 0x04), 8)).toBe('П');
    expect(text(of(0xd8, 0x3d, 0x00, 0x61), 8)).toBe('\ufffda');
    expect(text(of(0x04), 8)).toBe('');
  });

  test('little endian is read where the carrier is known for it only', () => {
    expect(text(of(0x1f, 0x04), 8, null, { ucs2_little_endian: true })).toBe('П');
    expect(text(of(0x1f, 0x04), 8)).toBe('ἄ');
  });
});

test('parts are joined before they are read', () => {
  const part = (...octets: number[]): { octets: Uint8Array; udh: null } => ({ octets: of(...octets), udh: null });
  expect(decodeParts([part(0x04, 0x1f, 0xd8, 0x3d), part(0xde, 0x00)], 8)).toEqual({ kind: 'text', text: 'П😀' });
  expect(decodeParts([part(0x61, 0x1b), part(0x65)], 0)).toEqual({ kind: 'text', text: 'a€' });
  expect(decodeParts([part(0xc7), part(0xd1)], 14)).toEqual({ kind: 'text', text: '한' });
  expect(decodeParts([part(0x01), part(0xff)], 4)).toEqual({ kind: 'binary', hex: '01ff' });
  expect(decodeParts([], 0)).toEqual({ kind: 'text', text: '' });
});

test('each part names its own tables', () => {
  const turkish = { octets: of(0x07), udh: header(0x25, 1, 1) };
  expect(decodeParts([turkish, { octets: of(0x07), udh: null }], 0)).toEqual({ kind: 'text', text: 'ıì' });
});

test('control characters are removed, but line ends stay, and tab and page break become what they look like', () => {
  expect(text(of(0x00, 0x41, 0x07, 0x09, 0x42, 0x0d, 0x0a, 0x0c, 0x0b, 0x1b, 0x7f), 1)).toBe('A B\r\n\n\n');
  expect(text(of(0x00, 0x41, 0x00, 0x00, 0x00, 0x85, 0x00, 0x9f), 8)).toBe('A');
  expect(text(of(0x41, 0x1b, 0x0a), 0)).toBe('A\n');
});

test('any octets make a well-formed text without control characters', () => {
  const octets = fc.uint8Array({ maxLength: 160 });
  const udh = fc.constantFrom(null, header(0x24, 1, 13, 0x25, 1, 4), header(0, 3, 1, 2, 1));
  const options = fc.record({
    default_alphabet: fc.constantFrom<DefaultAlphabet>('gsm7', 'gsm7_packed', 'latin1', 'ascii'),
    ucs2_little_endian: fc.boolean(),
  });
  fc.assert(
    fc.property(octets, fc.nat(255), udh, options, (any, data_coding, of_header, by) => {
      const decoded = decodeText(any, data_coding, of_header, by);
      if (decoded.kind === 'binary') {
        expect(decoded.hex).toMatch(/^([0-9a-f]{2})*$/);
      } else {
        expect(decoded.text).not.toMatch(/[\0-\x09\x0b\x0c\x0e-\x1f\x7f-\x9f]/);
        expect(decoded.text).not.toMatch(/\p{Surrogate}/u);
      }
    }),
    { numRuns: 2000 },
  );
});
