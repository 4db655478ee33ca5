import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Pace } from './pace.ts';

/** How many go out in that time, where as many as may are sent each millisecond; `throttles` says which of them are answered so. */
function sent(pace: Pace, from_ms: number, to_ms: number, throttles: (n: number) => boolean = () => false): number {
  let count = 0;
  for (let now_ms = from_ms; now_ms < to_ms; now_ms += 1) {
    while (pace.take(now_ms)) {
      count += 1;
      if (throttles(count)) pace.throttled();
    }
  }
  return count;
}

describe('a pace', () => {
  it('keeps the rate of the contract, with a twentieth of a second at once after a pause', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5_000 }), fc.integer({ min: 1, max: 20 }), (per_second, seconds) => {
        const pace = new Pace(per_second, 0);
        const count = sent(pace, 0, seconds * 1000);
        const burst = Math.max(1, per_second * 0.05);
        expect(count).toBeLessThanOrEqual(Math.ceil(per_second * seconds + burst));
        expect(count).toBeGreaterThanOrEqual(Math.floor(per_second * seconds * 0.98));
      }),
      { numRuns: 100 },
    );
  });

  it('says how long to wait, after which one may go', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2_000 }), fc.integer({ min: 0, max: 500 }), (per_second, pause_ms) => {
        const pace = new Pace(per_second, 0);
        while (pace.take(pause_ms));
        const wait_ms = pace.waitMs(pause_ms);
        expect(wait_ms).toBeGreaterThan(0);
        expect(pace.take(pause_ms + wait_ms)).toBe(true);
      }),
    );
  });

  it('hardly minds one in a hundred, slows down where half is throttled, and is back within seconds', () => {
    const noisy = new Pace(1_000, 0);
    expect(sent(noisy, 0, 10_000, (n) => n % 100 === 0)).toBeGreaterThan(9_500);
    const crowded = new Pace(1_000, 0);
    sent(crowded, 0, 5_000, (n) => n % 2 === 0);
    expect(crowded.per_second).toBeLessThan(100);
    expect(crowded.per_second).toBeGreaterThanOrEqual(20);
    sent(crowded, 5_000, 8_000);
    expect(crowded.per_second).toBe(1_000);
  });

  it('slows down as the carrier says that it is congested, stays where that is at its best, and is back afterwards', () => {
    const says = (pace: Pace, congestion_state: number, from_ms: number, to_ms: number): number => {
      sent(pace, from_ms, to_ms, () => {
        pace.congested(congestion_state);
        return false;
      });
      return pace.per_second;
    };
    const pace = new Pace(1_000, 0);
    expect(says(pace, 79, 0, 3_000)).toBe(1_000);
    const nearing = says(pace, 90, 3_000, 4_000);
    expect(nearing).toBeLessThan(700);
    expect(nearing).toBeGreaterThan(500);
    // What it said in the interval that is going on counts once more.
    const best = says(pace, 85, 4_000, 4_200);
    expect(says(pace, 85, 4_200, 8_000)).toBe(best);
    expect(says(pace, 100, 8_000, 9_000)).toBeLessThan(best / 4);
    expect(says(pace, 0, 9_000, 12_000)).toBe(1_000);
  });
});
