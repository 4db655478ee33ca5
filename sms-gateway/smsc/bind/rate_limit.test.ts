import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { RateLimit } from './rate_limit.ts';

describe('a limit of the rate', () => {
  it('lets a second’s worth come at once, and then so many a second', () => {
    const rate = new RateLimit(10, 0);
    const taken = (at_ms: number, asked: number): number =>
      Array.from({ length: asked }, () => rate.take(at_ms)).filter(Boolean).length;
    expect(taken(0, 20)).toBe(10);
    expect(taken(99, 1)).toBe(0);
    expect(taken(100, 5)).toBe(1);
    expect(taken(600, 20)).toBe(5);
    expect(taken(100_000, 20)).toBe(10);
  });

  it('is never exceeded over any time by more than that second’s worth', () => {
    const steps = fc.array(fc.tuple(fc.nat(500), fc.nat(30)), { maxLength: 100 });
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 50 }), steps, (per_second_max, walk) => {
        const rate = new RateLimit(per_second_max, 0);
        let now_ms = 0;
        let taken = 0;
        for (const [wait_ms, asked] of walk) {
          now_ms += wait_ms;
          for (let n = 0; n < asked; n += 1) if (rate.take(now_ms)) taken += 1;
          expect(taken).toBeLessThanOrEqual(per_second_max + (now_ms / 1000) * per_second_max + 1e-6);
        }
      }),
    );
  });
});
