import fc from 'fast-check';
import pg from 'pg';
import { expect, it } from 'vitest';
import { isoTimestamp, readTimestamp } from './timestamps.ts';

const theirs = pg.types.getTypeParser(pg.types.builtins.TIMESTAMPTZ) as (text: string) => unknown;

it('reads what the package reads, whatever the moment and the zone', () => {
  const two = (max: number) => fc.integer({ min: 0, max }).map((n) => String(n).padStart(2, '0'));
  const moment = fc
    .tuple(
      fc.integer({ min: 100, max: 9_999 }).map((n) => String(n).padStart(4, '0')),
      fc.integer({ min: 1, max: 12 }).map((n) => String(n).padStart(2, '0')),
      fc.integer({ min: 1, max: 28 }).map((n) => String(n).padStart(2, '0')),
      fc.tuple(two(23), two(59), two(59)),
      fc.option(
        fc
          .integer({ min: 1, max: 6 })
          .chain((n) => fc.string({ unit: fc.integer({ min: 0, max: 9 }).map(String), minLength: n, maxLength: n })),
      ),
      fc.constantFrom('+00', '+00', '+02', '-05', '+05:30', '+01:22:03'),
    )
    .map(
      ([y, m, d, time, fraction, zone]) =>
        `${y}-${m}-${d} ${time.join(':')}${fraction === null ? '' : `.${fraction}`}${zone}`,
    );
  fc.assert(
    fc.property(moment, (text) => {
      expect(readTimestamp(text)).toEqual(theirs(text));
      expect(isoTimestamp(text)).toBe((theirs(text) as Date).toISOString());
    }),
    { numRuns: 2_000 },
  );
  for (const text of [
    'infinity',
    '-infinity',
    '0044-03-15 12:00:00+00 BC',
    '10000-01-01 00:00:00+00',
    '0001-01-01 00:00:00+00',
  ])
    expect(readTimestamp(text)).toEqual(theirs(text));
  expect(isoTimestamp('infinity')).toBeNull();
});
