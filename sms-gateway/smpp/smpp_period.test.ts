import fc from 'fast-check';
import { expect, it } from 'vitest';
import { readSmppTime } from '../smsc/submit/smpp_time.ts';
import { smppPeriod } from './smpp_period.ts';

const DAY_MS = 86_400_000;

it.each([
  [-5_000, '000000000001000R'],
  [0, '000000000001000R'],
  [999, '000000000001000R'],
  [300_000, '000000000500000R'],
  [3_661_999, '000000010101000R'],
  [2 * DAY_MS, '000002000000000R'],
  [400 * DAY_MS, '000031000000000R'],
])('%i ms are written as %s', (ms, written) => {
  expect(smppPeriod(ms)).toBe(written);
});

it('whatever is written is read as as long, to the second', () => {
  // A day that is added to a date in UTC has 24 hours.
  const now_ms = Date.UTC(2026, 0, 15, 12);
  fc.assert(
    fc.property(fc.integer({ min: 1_000, max: 31 * DAY_MS }), (ms) => {
      expect(readSmppTime(smppPeriod(ms), now_ms)).toBe(now_ms + ms - (ms % 1_000));
    }),
  );
});
