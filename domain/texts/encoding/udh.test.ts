import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeText } from './encode_text.ts';
import { headerLength, segmentUdh, segmentUnits, type Segmented } from './segment.ts';
import { parseUdh } from './udh.ts';

const of = (...octets: number[]): Uint8Array => Uint8Array.from(octets);
const nothing = { concat: null, locking_shift: null, single_shift: null, ports: null, rest: [] };

function long(reference_bits: 8 | 16, text = 'a'.repeat(400)): Segmented {
  const encoded = encodeText(text, { reference_bits, national_languages: ['turkish'] });
  if (encoded.kind === 'too_long') throw new Error('too long');
  return encoded;
}

describe('reading', () => {
  test('a concatenation with an 8 bit and one with a 16 bit reference', () => {
    expect(parseUdh(of(5, 0, 3, 0x2a, 3, 2, 0x61))).toEqual({
      kind: 'udh',
      ...nothing,
      concat: { reference: 0x2a, reference_bits: 8, total: 3, part: 2 },
      header_length_octets: 6,
    });
    expect(parseUdh(of(6, 8, 4, 0x12, 0x34, 3, 3))).toMatchObject({
      concat: { reference: 0x1234, reference_bits: 16, total: 3, part: 3 },
      header_length_octets: 7,
    });
  });

  test.each([
    ['part 0', [5, 0, 3, 1, 2, 0]],
    ['a part above the total', [5, 0, 3, 1, 2, 3]],
    ['a total of 0', [5, 0, 3, 1, 0, 0]],
    ['a length that is not its own', [4, 0, 2, 1, 1]],
    ['16 bits in the length of 8', [5, 8, 3, 1, 2, 1]],
  ])('%s is no concatenation', (_, octets) => {
    const udh = parseUdh(Uint8Array.from(octets));
    expect(udh).toMatchObject({ kind: 'udh', concat: null, header_length_octets: octets.length });
    expect(udh.kind === 'udh' && udh.rest).toHaveLength(1);
  });

  test('ports, national tables, and elements it does not know', () => {
    expect(parseUdh(of(6, 5, 4, 0x0b, 0x84, 0x23, 0xf0))).toMatchObject({
      ports: { destination: 2948, originator: 9200, bits: 16 },
    });
    expect(parseUdh(of(4, 4, 2, 226, 1))).toMatchObject({ ports: { destination: 226, originator: 1, bits: 8 } });
    expect(parseUdh(of(6, 0x24, 1, 3, 0x25, 1, 13))).toMatchObject({
      single_shift: 'portuguese',
      locking_shift: 'urdu',
    });
    expect(parseUdh(of(3, 0x24, 1, 14))).toMatchObject({ single_shift: null, rest: [{ id: 0x24, data: of(14) }] });
    expect(parseUdh(of(6, 0x70, 2, 9, 8, 0x71, 0))).toMatchObject({
      rest: [
        { id: 0x70, data: of(9, 8) },
        { id: 0x71, data: of() },
      ],
    });
  });

  test('of two concatenations the last valid one counts', () => {
    expect(parseUdh(of(11, 0, 3, 1, 2, 1, 8, 4, 0, 7, 3, 2))).toMatchObject({
      concat: { reference: 7, total: 3, part: 2 },
    });
    expect(parseUdh(of(11, 0, 3, 1, 2, 1, 8, 4, 0, 7, 3, 9))).toMatchObject({
      concat: { reference: 1, total: 2, part: 1 },
    });
  });

  test.each([
    ['nothing', [], 'empty'],
    ['a length beyond the data', [5, 0, 3, 1, 2], 'longer_than_data'],
    ['an element beyond the header', [4, 0, 3, 1, 2, 1, 9, 9], 'element_cut'],
    ['an identifier without a length', [6, 0, 3, 1, 2, 1, 8], 'element_cut'],
  ] as const)('%s is malformed', (_, octets, reason) => {
    expect(parseUdh(Uint8Array.from(octets))).toEqual({ kind: 'malformed_udh', reason });
  });

  test('an empty header is one', () => {
    expect(parseUdh(of(0, 0x61))).toEqual({ kind: 'udh', ...nothing, header_length_octets: 1 });
  });

  test('no octets make it throw, and a header never ends beyond them', () => {
    const octets = fc.oneof(fc.uint8Array({ maxLength: 20 }), fc.uint8Array({ maxLength: 20, max: 8 }));
    fc.assert(
      fc.property(octets, (any) => {
        const udh = parseUdh(any);
        if (udh.kind === 'udh') expect(udh.header_length_octets).toBeLessThanOrEqual(any.length);
      }),
      { numRuns: 2000 },
    );
  });
});

describe('making', () => {
  test('a text of one segment without national tables has no header', () => {
    expect(segmentUdh(long(8, 'a'), 1, 7)).toEqual(of());
  });

  test('a header of each kind', () => {
    expect(segmentUdh(long(8), 2, 0x1234)).toEqual(of(5, 0, 3, 0x34, 3, 2));
    expect(segmentUdh(long(16), 2, 0x1234)).toEqual(of(6, 8, 4, 0x12, 0x34, 3, 2));
    expect(segmentUdh(long(8, 'ş'.repeat(100)), 1, 5)).toEqual(of(3, 0x25, 1, 1));
    expect(segmentUdh(long(16, 'ş'.repeat(200)), 1, 5)).toEqual(of(9, 8, 4, 0, 5, 2, 1, 0x25, 1, 1));
    expect(segmentUdh(long(8, `${'a'.repeat(99)}ş`), 1, 5)).toEqual(of(3, 0x24, 1, 1));
  });

  test('a part that a text does not have is a mistake of the caller', () => {
    for (const part of [0, 4, 1.5]) expect(() => segmentUdh(long(8), part, 1)).toThrow(RangeError);
  });

  test('what is made is read', () => {
    fc.assert(
      fc.property(
        fc.constantFrom<8 | 16>(8, 16),
        fc.nat(0xffff),
        fc.integer({ min: 1, max: 3 }),
        (bits, reference, part) => {
          const octets = segmentUdh(long(bits), part, reference);
          expect(parseUdh(octets)).toMatchObject({
            concat: { reference: bits === 8 ? reference & 0xff : reference, reference_bits: bits, total: 3, part },
            header_length_octets: octets.length,
          });
        },
      ),
    );
  });

  test('a segment holds 140 octets, the header among them', () => {
    const rooms = (header: number): number[] =>
      (['gsm7', 'ucs2', 'binary'] as const).map((encoding) => segmentUnits(encoding, header));
    expect(rooms(0)).toEqual([160, 70, 140]);
    expect(rooms(headerLength(0, 8))).toEqual([153, 67, 134]);
    expect(rooms(headerLength(0, 16))).toEqual([152, 66, 133]);
    expect(rooms(headerLength(3, null))).toEqual([155, 68, 136]);
    expect(rooms(headerLength(6, null))).toEqual([152, 66, 133]);
    expect(rooms(headerLength(3, 8))).toEqual([149, 65, 131]);
    expect(rooms(headerLength(6, 8))).toEqual([146, 64, 128]);
    expect(rooms(200)).toEqual([0, 0, 0]);
  });
});
