import fc from 'fast-check';
import { expect, test } from 'vitest';
import { fillBits, packSeptets, unpackSeptets } from './septets.ts';

const septets = fc.uint8Array({ max: 127, maxLength: 170 });
const ascii = (text: string): Uint8Array => Uint8Array.from(text, (one) => one.charCodeAt(0));
const hex = (octets: Uint8Array): string => Array.from(octets, (one) => one.toString(16).padStart(2, '0')).join('');

test('the well-known examples', () => {
  expect(hex(packSeptets(ascii('hellohello')))).toBe('e8329bfd4697d9ec37');
  expect(hex(packSeptets(ascii('1')))).toBe('31');
  expect(hex(packSeptets(ascii('12345678')))).toBe('31d98c56b3dd70');
});

test('septets begin at a multiple of 7 bits behind a header', () => {
  expect([0, 4, 5, 6, 7, 8, 14].map(fillBits)).toEqual([0, 3, 2, 1, 0, 6, 0]);
  // A concatenation of 6 octets leaves one bit: all of it moves up by one.
  expect(hex(packSeptets(ascii('1'), 1))).toBe('62');
});

test('160 septets are 140 octets, and 153 fit behind 6', () => {
  expect(packSeptets(new Uint8Array(160))).toHaveLength(140);
  expect(packSeptets(new Uint8Array(153), fillBits(6))).toHaveLength(134);
  expect(packSeptets(new Uint8Array(152), fillBits(7))).toHaveLength(133);
});

test('what is packed is unpacked, with any fill bits', () => {
  fc.assert(
    fc.property(septets, fc.integer({ min: 0, max: 6 }), (of, fill_bits) => {
      expect(unpackSeptets(packSeptets(of, fill_bits), fill_bits, of.length)).toEqual(of);
    }),
  );
});

test('without a count all but a last 0 in the padding comes back', () => {
  fc.assert(
    fc.property(septets, fc.integer({ min: 0, max: 6 }), (of, fill_bits) => {
      const full = Uint8Array.of(...of, 1);
      expect(unpackSeptets(packSeptets(full, fill_bits), fill_bits)).toEqual(full);
    }),
  );
  expect(unpackSeptets(packSeptets(ascii('1234567\0')))).toEqual(ascii('1234567'));
  expect(unpackSeptets(packSeptets(ascii('1234567')))).toEqual(ascii('1234567'));
  expect(unpackSeptets(packSeptets(ascii('123456\0')))).toEqual(ascii('123456\0'));
});

test('a count beyond what is there reads what is there', () => {
  expect(unpackSeptets(Uint8Array.of(0x31), 0, 5)).toEqual(ascii('1'));
  expect(unpackSeptets(new Uint8Array(0), 6)).toEqual(new Uint8Array(0));
});
