import fc from 'fast-check';
import { expect, test } from 'vitest';
import { explainPrice } from './explain_price.ts';
import { affordableSeconds, billedSeconds, packSecondsUsed, price, secondsFromMs, withTax } from './price.ts';
import type { Rate } from './rate.ts';
import { naivePrice } from './testing/naive_price.ts';

const seconds = fc.integer({ min: 0, max: 7_200 });
const pack = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 4_000 }));
const tax_ppm = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400_000 }));
const increment = fc.oneof(fc.constantFrom(1, 6, 30, 60), fc.integer({ min: 1, max: 200 }));
const few = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 200 }));
const rates: fc.Arbitrary<Rate> = fc.record({
  rate_micros_per_minute: fc.oneof(
    fc.constantFrom(0n, 1n, 59n, 60n, 61n, 12_500n),
    fc.bigInt({ min: 0n, max: 9_000_000_000_000n }),
  ),
  connect_fee_micros: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 5_000_000n })),
  minimum_seconds: few,
  initial_increment_seconds: increment,
  subsequent_increment_seconds: increment,
  grace_seconds: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 20 })),
  free_seconds: few,
});

function rate(fields: Partial<Rate>): Rate {
  return {
    rate_micros_per_minute: 600_000n,
    connect_fee_micros: 0n,
    minimum_seconds: 0,
    initial_increment_seconds: 1,
    subsequent_increment_seconds: 1,
    grace_seconds: 0,
    free_seconds: 0,
    ...fields,
  };
}

test('the price is that of a count second by second', () => {
  fc.assert(
    fc.property(seconds, rates, pack, (s, r, p) => {
      expect(price(s, r, p)).toBe(naivePrice(s, r, p));
    }),
    { numRuns: 2_000 },
  );
});

test('the price is 0 at 0 and never falls', () => {
  fc.assert(
    fc.property(seconds, seconds, rates, pack, (a, b, r, p) => {
      expect(price(0, r, p)).toBe(0n);
      expect(price(Math.max(a, b), r, p) >= price(Math.min(a, b), r, p)).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test('what is charged between moments sums to the price, wherever the call is cut', () => {
  fc.assert(
    fc.property(fc.array(seconds, { minLength: 1, maxLength: 20 }), rates, pack, (cuts, r, p) => {
      const moments = [0, ...cuts].sort((a, b) => a - b);
      let charged = 0n;
      for (const [n, moment] of moments.entries()) {
        const step = price(moment, r, p) - price(moments[n - 1] ?? 0, r, p);
        expect(step >= 0n).toBe(true);
        charged += step;
      }
      expect(charged).toBe(price(moments.at(-1) ?? 0, r, p));
    }),
    { numRuns: 2_000 },
  );
});

test('the affordable seconds fit the budget, and one second more does not', () => {
  const budget = fc.oneof(
    fc.bigInt({ min: -5n, max: 10_000_000n }),
    fc.bigInt({ min: 0n, max: 9_000_000_000_000_000n }),
  );
  fc.assert(
    fc.property(rates, tax_ppm, budget, seconds, pack, (r, tax, money, cap, p) => {
      const s = affordableSeconds(r, tax, money, cap, p);
      expect(s >= 0 && s <= cap).toBe(true);
      if (s > 0) expect(withTax(price(s, r, p), tax).gross <= money).toBe(true);
      if (s < cap) expect(withTax(price(s + 1, r, p), tax).gross > money).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test('billed seconds are an initial increment and whole further ones, and never one more than needed', () => {
  fc.assert(
    fc.property(seconds, rates, (s, r) => {
      const billed = billedSeconds(s, r);
      if (s === 0 || s <= r.grace_seconds) {
        expect(billed).toBe(0);
        return;
      }
      const needed = Math.max(s, r.minimum_seconds);
      expect((billed - r.initial_increment_seconds) % r.subsequent_increment_seconds).toBe(0);
      expect(billed >= needed).toBe(true);
      if (billed > r.initial_increment_seconds) expect(billed - r.subsequent_increment_seconds < needed).toBe(true);
    }),
    { numRuns: 5_000 },
  );
});

test('the lines of the bill sum to the price, and their seconds to those charged', () => {
  const sign: Record<string, number> = { spoken: 1, minimum: 1, increment: 1, free: -1, pack: -1, grace: -1 };
  fc.assert(
    fc.property(seconds, rates, pack, (s, r, p) => {
      const lines = explainPrice(s, r, p);
      expect(lines.reduce((sum, line) => sum + line.micros, 0n)).toBe(price(s, r, p));
      const counted = lines.reduce((sum, line) => sum + (sign[line.key] ?? 0) * line.seconds, 0);
      expect(counted).toBe(lines.find((line) => line.key === 'per_minute')?.seconds ?? 0);
      expect(lines.find((line) => line.key === 'pack')?.seconds ?? 0).toBe(packSecondsUsed(s, r, p));
    }),
    { numRuns: 2_000 },
  );
});

test.each([
  // 60/6 at 0.60 a minute: a minute at once, then a hundredth of a minute at a time.
  { s: 1, r: rate({ initial_increment_seconds: 60, subsequent_increment_seconds: 6 }), billed: 60, micros: 600_000n },
  { s: 61, r: rate({ initial_increment_seconds: 60, subsequent_increment_seconds: 6 }), billed: 66, micros: 660_000n },
  { s: 5, r: rate({ grace_seconds: 5, connect_fee_micros: 7n }), billed: 0, micros: 0n },
  { s: 6, r: rate({ grace_seconds: 5, connect_fee_micros: 7n }), billed: 6, micros: 60_007n },
  { s: 10, r: rate({ free_seconds: 30, connect_fee_micros: 7n }), billed: 10, micros: 7n },
  { s: 1, r: rate({ rate_micros_per_minute: 1n }), billed: 1, micros: 1n },
  { s: 10, r: rate({ minimum_seconds: 30 }), billed: 30, micros: 300_000n },
])('$s s is billed as $billed s for $micros micros', ({ s, r, billed, micros }) => {
  expect(billedSeconds(s, r)).toBe(billed);
  expect(price(s, r)).toBe(micros);
});

test('a pack splits within a call and does not pay the connect fee', () => {
  const r = rate({ connect_fee_micros: 50_000n });
  expect(price(90, r, 60)).toBe(50_000n + 300_000n);
  expect(packSecondsUsed(90, r, 60)).toBe(60);
  expect(price(30, r, 60)).toBe(50_000n);
  expect(packSecondsUsed(30, r, 60)).toBe(30);
});

test('milliseconds round up to seconds, and what is no duration is refused', () => {
  expect([0, 1, 999, 1_000, 1_001, 59_999, 60_000].map(secondsFromMs)).toEqual([0, 1, 1, 1, 2, 60, 60]);
  for (const wrong of [-1, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
    expect(() => secondsFromMs(wrong)).toThrow(RangeError);
  }
});

test('tax rounds up to the micro and the gross is monotone', () => {
  expect(withTax(1n, 190_000)).toEqual({ net: 1n, tax: 1n, gross: 2n });
  expect(withTax(100n, 190_000)).toEqual({ net: 100n, tax: 19n, gross: 119n });
  expect(withTax(100n, 0)).toEqual({ net: 100n, tax: 0n, gross: 100n });
  fc.assert(
    fc.property(fc.bigInt({ min: 0n, max: 10n ** 15n }), fc.nat(1_000), tax_ppm, (net, more, tax) => {
      expect(withTax(net + BigInt(more), tax).gross >= withTax(net, tax).gross + BigInt(more)).toBe(true);
    }),
  );
});
