import fc from 'fast-check';
import { expect, test } from 'vitest';
import { explainLeg } from './explain_price.ts';
import { legBilledSeconds, legPackSeconds, legPrice } from './leg_price.ts';
import type { LegRates } from './leg_price.ts';
import { secondsWithin } from './price.ts';
import { naivePrice } from './testing/naive_price.ts';

const rate = fc.record({
  rate_micros_per_minute: fc.bigInt({ min: 0n, max: 900_000n }),
  connect_fee_micros: fc.bigInt({ min: 0n, max: 50_000n }),
  minimum_seconds: fc.nat(40),
  initial_increment_seconds: fc.integer({ min: 1, max: 60 }),
  subsequent_increment_seconds: fc.integer({ min: 1, max: 60 }),
  grace_seconds: fc.nat(5),
  free_seconds: fc.nat(30),
});
const rates: fc.Arbitrary<LegRates> = fc.record({
  rate,
  tax_ppm: fc.constantFrom(0, 1, 70_000, 190_000),
  forwarded: fc.option(fc.record({ rate }), { freq: 8 }),
});
const seconds = fc.nat(400);
const pack = fc.oneof(fc.constant(0), fc.nat(200));

test('a forwarded leg costs what its two parts cost, each by its own steps, and the tax on their sum', () => {
  fc.assert(
    fc.property(rates, seconds, pack, (of, s, p) => {
      const { net, tax, gross } = legPrice(of, s, p);
      const parts =
        of.forwarded === null
          ? naivePrice(s, of.rate, p)
          : naivePrice(s, of.rate, 0) + naivePrice(s, of.forwarded.rate, p);
      expect(net).toBe(parts);
      expect(explainLeg(of, s, p).reduce((sum, { micros }) => sum + micros, 0n)).toBe(net);
      expect(tax).toBe((net * BigInt(of.tax_ppm) + 999_999n) / 1_000_000n);
      expect(gross).toBe(net + tax);
    }),
  );
});

test('it never falls as the call goes on, and what is affordable is below one border', () => {
  fc.assert(
    fc.property(rates, seconds, seconds, pack, fc.bigInt({ min: 0n, max: 3_000_000n }), (of, one, other, p, money) => {
      const [less, more] = [Math.min(one, other), Math.max(one, other)];
      expect(legPrice(of, less, p).gross <= legPrice(of, more, p).gross).toBe(true);
      const border = secondsWithin(money, more, (s) => legPrice(of, s, p));
      expect(legPrice(of, border, p).gross <= money || border === 0).toBe(true);
      if (border < more) expect(legPrice(of, border + 1, p).gross > money).toBe(true);
    }),
  );
});

test('the way on never makes it cheaper, and a pack pays for that alone', () => {
  fc.assert(
    fc.property(rates, seconds, pack, (of, s, p) => {
      const own = legPrice({ ...of, forwarded: null }, s, 0).gross;
      if (of.forwarded === null) return;
      expect(legPrice(of, s, p).gross >= own).toBe(true);
      const alone = { ...of, rate: of.forwarded.rate, forwarded: null };
      expect(legPackSeconds(of, s, p)).toBe(legPackSeconds(alone, s, p));
      expect(legBilledSeconds(of, s)).toBe(legBilledSeconds(alone, s));
    }),
  );
});
