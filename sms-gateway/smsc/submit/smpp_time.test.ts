import { createRequire } from 'node:module';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { readSmppTime, writeReceiptDate, writeSmppTime } from './smpp_time.ts';

const now_ms = Date.UTC(2026, 0, 15, 12, 0, 0);
const iso = (text: string): string | null => {
  const ms = readSmppTime(text, now_ms);
  return ms === null ? null : new Date(ms).toISOString();
};

describe('a time of SMPP', () => {
  it.each([
    ['260115133000000+', '2026-01-15T13:30:00.000Z'],
    ['260115133000704+', '2026-01-15T12:30:00.700Z'],
    ['260115133000022-', '2026-01-15T19:00:00.000Z'],
    ['280229000000048+', '2028-02-28T12:00:00.000Z'],
    ['991231235959900+', '2099-12-31T23:59:59.900Z'],
  ])('is absolute with the zone that it is in: %s', (text, expected) => {
    expect(iso(text)).toBe(expected);
  });

  it.each([
    ['000000003000000R', '2026-01-15T12:30:00.000Z'],
    ['000001000000000R', '2026-01-16T12:00:00.000Z'],
    ['010203040506000R', '2027-03-18T16:05:06.000Z'],
    ['000000009999000R', '2026-01-15T13:40:39.000Z'],
    ['000000000000000R', '2026-01-15T12:00:00.000Z'],
  ])('is relative to now: %s', (text, expected) => {
    expect(iso(text)).toBe(expected);
  });

  it.each([
    '',
    '260115133000',
    '260115133000000',
    '260115133000000Z',
    '261315133000000+',
    '260230133000000+',
    '270229000000000+',
    '260115243000000+',
    '260115136000000+',
    '260115133060000+',
    '260100133000000+',
    '260115133000049+',
    '26011513300000 +',
    '2026-01-15T13:30',
  ])('is none: %s', (text) => {
    expect(iso(text)).toBeNull();
  });

  it('comes back as it was written', () => {
    const instants = fc.integer({ min: Date.UTC(2000, 0, 1) / 100, max: Date.UTC(2100, 0, 1) / 100 - 1 });
    fc.assert(
      fc.property(instants, (tenths) => {
        const text = writeSmppTime(tenths * 100);
        expect(text).toMatch(/^[0-9]{13}00\+$/u);
        expect(readSmppTime(text, now_ms)).toBe(tenths * 100);
      }),
    );
  });

  it('is read as the npm package smpp reads it, whatever the zone', () => {
    const { filters } = createRequire(import.meta.url)('smpp') as {
      filters: { time: { decode: (text: string) => Date | string } };
    };
    const parts = fc.tuple(
      fc.integer({ min: Date.UTC(2000, 0, 2) / 1000, max: Date.UTC(2099, 11, 30) / 1000 }),
      fc.integer({ min: 0, max: 48 }),
      fc.constantFrom('+', '-'),
    );
    fc.assert(
      fc.property(parts, ([seconds, quarters, sign]) => {
        const text = writeSmppTime(seconds * 1000).slice(0, 13) + String(quarters).padStart(2, '0') + sign;
        const theirs = filters.time.decode(text);
        if (theirs instanceof Date) expect(readSmppTime(text, now_ms)).toBe(theirs.getTime());
      }),
    );
  });

  it('stands in a receipt up to the minute', () => {
    expect(writeReceiptDate(now_ms + 59_999)).toBe('2601151200');
  });
});
