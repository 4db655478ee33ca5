import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeText } from './encode_text.ts';
import { encodeRaw, segmentsOfRaw, type RawOptions, type RawText } from './raw_text.ts';
import { segmentUdh } from './segment.ts';
import { packSeptets } from './septets.ts';
import { parseUdh } from './udh.ts';

const GSM7 = 0;
const BINARY = 4;
const UCS2 = 8;

const octets = (length: number, octet = 0x61): Uint8Array => new Uint8Array(length).fill(octet);

function joined(...pieces: (Uint8Array | readonly number[])[]): Uint8Array {
  return Uint8Array.from(pieces.flatMap((piece) => [...piece]));
}

function raw(data_coding: number, of: Uint8Array, has_udh = false, options: RawOptions = {}): RawText {
  const result = encodeRaw(data_coding, of, has_udh, { segments_max: 255, ...options });
  if (result.kind !== 'raw') throw new Error(result.kind);
  return result;
}

const unitsOf = (of: RawText): number[] => of.segments.map(({ units }) => units);

describe('without a header', () => {
  test.each([
    [GSM7, 160, [160]],
    [GSM7, 161, [153, 8]],
    [GSM7, 306, [153, 153]],
    [GSM7, 0, [0]],
    [0xf0, 161, [153, 8]],
    [UCS2, 140, [70]],
    [UCS2, 141, [67, 4]],
    [UCS2, 268, [67, 67]],
    [UCS2, 269, [67, 67, 1]],
    [BINARY, 140, [140]],
    [BINARY, 141, [134, 7]],
    [0xf5, 268, [134, 134]],
    [0xf5, 269, [134, 134, 1]],
  ])('data coding %s, %s octets', (data_coding, length, units) => {
    const result = raw(data_coding, octets(length));
    expect(unitsOf(result)).toEqual(units);
    expect(result).toMatchObject({ data_coding, concat: null });
    expect(joined(...result.segments.map(({ payload }) => payload))).toEqual(octets(length));
    expect(segmentsOfRaw(data_coding, octets(length), false)).toMatchObject({ segments: units.length, concat: null });
  });

  test('escape sequences and surrogate pairs stay whole', () => {
    expect(unitsOf(raw(GSM7, joined(octets(152), [0x1b, 0x65], octets(20))))).toEqual([152, 22]);
    expect(unitsOf(raw(GSM7, joined(octets(151), [0x1b, 0x1b], octets(20))))).toEqual([153, 20]);
    expect(unitsOf(raw(GSM7, joined(octets(150), [0x1b, 0x1b, 0x1b, 0x65], octets(20))))).toEqual([152, 22]);
    const smile = [0xd8, 0x3d, 0xde, 0x00];
    expect(unitsOf(raw(UCS2, joined(octets(132), smile, octets(20))))).toEqual([66, 12]);
  });

  test('what is packed is unpacked', () => {
    const packed = packSeptets(octets(161));
    expect(unitsOf(raw(GSM7, packed, false, { default_alphabet: 'gsm7_packed' }))).toEqual([153, 8]);
  });

  test('a character set that is not on the air is encoded anew', () => {
    expect(raw(1, octets(161))).toMatchObject({ encoding: 'gsm7', data_coding: GSM7 });
    expect(raw(3, Uint8Array.of(0xe9))).toMatchObject({ encoding: 'gsm7', data_coding: GSM7, units: 1 });
    expect(raw(3, octets(71, 0xe7))).toMatchObject({ encoding: 'ucs2', data_coding: UCS2, units: 71 });
    expect(unitsOf(raw(6, octets(71, 0xd0)))).toEqual([67, 4]);
    expect(unitsOf(raw(GSM7, octets(71, 0xe7), false, { default_alphabet: 'latin1' }))).toEqual([67, 4]);
  });
});

describe('with a header', () => {
  const concat = [5, 0, 3, 0x2a, 2, 1];

  test('a header that is longer than a segment is too long by itself, and one that fills it goes', () => {
    const unknown = (length: number) => joined([length, 0x70, length - 2], octets(length - 2));
    for (const data_coding of [GSM7, UCS2, BINARY, 3]) {
      expect(raw(data_coding, unknown(139), true).segments).toHaveLength(1);
      expect(segmentsOfRaw(data_coding, unknown(140), true)).toMatchObject({ kind: 'too_long', segments: 256 });
    }
  });

  test('a part of a text that the customer split is one segment, its header as it came', () => {
    for (const [data_coding, room] of [
      [GSM7, 153],
      [UCS2, 134],
      [BINARY, 134],
      [3, 153],
    ] as const) {
      const result = raw(data_coding, joined(concat, octets(room)), true);
      expect(result.segments).toHaveLength(1);
      expect(result.concat).toEqual({ reference: 0x2a, reference_bits: 8, total: 2, part: 1 });
      expect(segmentUdh(result, 1, 99)).toEqual(Uint8Array.from(concat));
      const refusal = { kind: 'too_long', segments: 2, segments_max: 1 };
      expect(segmentsOfRaw(data_coding, joined(concat, octets(room + 1)), true)).toEqual(refusal);
    }
  });

  test('other elements are carried by each segment that we make', () => {
    const ports = [6, 5, 4, 0x0b, 0x84, 0, 0];
    const single = raw(BINARY, joined(ports, octets(133)), true);
    expect(unitsOf(single)).toEqual([133]);
    expect(segmentUdh(single, 1, 1)).toEqual(Uint8Array.from(ports));
    const result = raw(BINARY, joined(ports, octets(134)), true);
    expect(unitsOf(result)).toEqual([128, 6]);
    expect(parseUdh(segmentUdh(result, 2, 77))).toMatchObject({
      concat: { reference: 77, total: 2, part: 2 },
      ports: { destination: 2948, originator: 0 },
    });
  });

  test('a header that cannot be read is said to be', () => {
    expect(segmentsOfRaw(BINARY, Uint8Array.of(9, 0, 3), true)).toEqual({
      kind: 'malformed_udh',
      reason: 'longer_than_data',
    });
    expect(segmentsOfRaw(BINARY, Uint8Array.of(), true)).toMatchObject({ kind: 'malformed_udh', reason: 'empty' });
  });

  test('beside a header that fills the segment nothing can be cut', () => {
    const full = joined([138, 0x70, 136], octets(136));
    expect(segmentsOfRaw(BINARY, joined(full, octets(1)), true)).toMatchObject({ segments: 1 });
    expect(segmentsOfRaw(BINARY, joined(full, octets(2)), true)).toMatchObject({ kind: 'too_long', segments: 256 });
    const beyond = joined([150, 0x70, 148], octets(148));
    expect(segmentsOfRaw(3, joined(beyond, octets(2)), true)).toMatchObject({ kind: 'too_long' });
  });
});

test('a text that the customer encoded costs what it costs when we do', () => {
  const of = fc.string({ unit: fc.constantFrom('a', '€', '[', '@', 'Ω'), maxLength: 700, size: 'max' });
  fc.assert(
    fc.property(of, fc.constantFrom<8 | 16>(8, 16), (text, reference_bits) => {
      const encoded = encodeText(text, { reference_bits });
      if (encoded.kind === 'too_long') return;
      const payload = joined(...encoded.segments.map((segment) => segment.payload));
      expect(encodeRaw(GSM7, payload, false, { reference_bits })).toMatchObject({ segments: encoded.segments });
    }),
  );
});

test('any payload is cut into segments that fit, refused or malformed, and none throws', () => {
  const payload = fc.uint8Array({ maxLength: 600, size: 'max' });
  fc.assert(
    fc.property(payload, fc.nat(255), fc.boolean(), (any, data_coding, has_udh) => {
      const result = encodeRaw(data_coding, any, has_udh);
      if (result.kind !== 'raw') return;
      result.segments.forEach(({ payload: { length } }, place) => {
        const header = segmentUdh(result, place + 1, 1).length;
        expect(result.encoding === 'gsm7' ? header * 8 + length * 7 : (header + length) * 8).toBeLessThanOrEqual(1120);
      });
    }),
    { numRuns: 2000 },
  );
});
