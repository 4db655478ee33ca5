import { expect, test } from 'vitest';
import { DecodedFields } from './decoded_fields.ts';

test('fields of one hash are told apart by their bytes, and a known one is not decoded again', () => {
  const decoded: string[] = [];
  const fields = new DecodedFields((text) => decoded.push(text));
  const number = (text: string): number => fields.number(Buffer.from(`<${text}>`), 1, 1 + Buffer.byteLength(text), 7);
  expect(['Köln', 'Köln', 'Bonn', 'Kölner', 'Köln'].map(number)).toEqual([1, 1, 2, 3, 4]);
  expect(decoded).toEqual(['Köln', 'Bonn', 'Kölner', 'Köln']);
});
