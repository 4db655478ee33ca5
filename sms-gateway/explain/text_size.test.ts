import { describe, expect, it } from 'vitest';
import { writeRawBody } from '../accept/raw_body.ts';
import { segmentWords, textSize } from './text_size.ts';

function words(body: string, encoding: 'gsm7' | 'ucs2' | 'binary', counted_segments = 1): string {
  const size = textSize(body, encoding, counted_segments);
  if (size === null) throw new Error('it can be cut');
  return segmentWords(size.segments, encoding, size);
}

describe('why a text has that many segments', () => {
  it.each([
    ['one of GSM 7', 'a'.repeat(160), '1 segment of GSM 7: 160 characters, and 160 fit in one.'],
    ['several', 'a'.repeat(214), '2 segments of GSM 7: 214 characters, and 153 fit in each of several.'],
    [
      'characters that count twice',
      `${'a'.repeat(158)}€€`,
      '2 segments of GSM 7: 160 characters, 2 of which count twice, hence 162, and 153 fit in each of several.',
    ],
    [
      'one that counts twice',
      'a€',
      '1 segment of GSM 7: 2 characters, 1 of which counts twice, hence 3, and 160 fit in one.',
    ],
    [
      'a character of two places that would be cut',
      `${'a'.repeat(152)}€${'a'.repeat(151)}€`,
      '3 segments of GSM 7: 305 characters, 2 of which count twice, hence 307, and 153 fit in each of several.',
    ],
    [
      'a sum that would fit, were nothing cut in two',
      `${'a'.repeat(152)}€${'a'.repeat(152)}`,
      '3 segments of GSM 7: 305 characters, 1 of which counts twice, hence 306, and 153 fit in each of several; none is cut in two.',
    ],
  ])('is told of %s', (_what, body, expected) => {
    expect(words(body, 'gsm7')).toBe(expected);
  });

  it('is told of UCS-2, which GSM 7 could not say', () => {
    expect(words('ő'.repeat(71), 'ucs2')).toBe(
      '2 segments of UCS-2, as GSM 7 lacks some of its characters: 71 characters, and 67 fit in each of several.',
    );
    expect(words('👍🏽👍', 'ucs2')).toBe(
      '1 segment of UCS-2, as GSM 7 lacks some of its characters: 2 characters, which are 6 units of UCS-2, and 70 fit in one.',
    );
  });

  it('is told of a language’s tables, whose names take their place', () => {
    expect(words('ş'.repeat(156), 'gsm7', 2)).toBe(
      '2 segments of GSM 7: 156 characters, and 149 fit in each of several beside the header.',
    );
  });

  it('is told of octets, with the header that the customer put before them', () => {
    const octets = Buffer.alloc(200, 1);
    expect(words(writeRawBody({ data_coding: 4, has_udh: false, octets }), 'binary')).toBe(
      '2 segments of octets: 200 octets, and 134 fit in each of several.',
    );
    const port = Buffer.from([6, 5, 4, 0x0b, 0x84, 0x23, 0xf0]);
    const headed = Buffer.concat([port, Buffer.alloc(100, 1)]);
    expect(words(writeRawBody({ data_coding: 4, has_udh: true, octets: headed }), 'binary')).toBe(
      '1 segment of octets: 100 octets, and 133 fit in one beside the header.',
    );
  });

  it('is not told of what was erased', () => {
    expect(segmentWords(2, 'ucs2', null)).toBe('2 segments of UCS-2.');
  });
});
