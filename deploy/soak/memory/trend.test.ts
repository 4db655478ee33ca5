import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { seeded } from '../../../domain/rating/bench/sample_decks.ts';
import { trendOf } from './trend.ts';
import type { Sample } from './trend.ts';

const MEMORY = { per_hour: 10, rise: 2 };

interface Sawtooth {
  seed: number;
  minutes: number;
  /** From the floor to the top of a tooth. */
  tooth_mb: number;
  /** On the average; no tooth is as long as the one before. */
  tooth_s: number;
  leak_mb_per_hour: number;
}

/** A sample a second of a process that collects its garbage now and then, and never quite down to the same floor. */
function sawtooth({ seed, minutes, tooth_mb, tooth_s, leak_mb_per_hour }: Sawtooth): Sample[] {
  const random = seeded(seed);
  const samples: Sample[] = [];
  let [began_s, length_s, floor_mb] = [0, tooth_s * random(), 120];
  for (let at_s = 0; at_s <= minutes * 60; at_s += 1) {
    if (at_s - began_s >= length_s)
      [began_s, length_s, floor_mb] = [at_s, tooth_s * (0.7 + 0.6 * random()), 120 + random()];
    const value = floor_mb + (tooth_mb * (at_s - began_s)) / tooth_s + random() + (leak_mb_per_hour * at_s) / 3600;
    samples.push({ at_s, value });
  }
  return samples;
}

const anySawtooth = fc.record({
  seed: fc.integer({ min: 1, max: 2 ** 31 - 1 }),
  minutes: fc.constant(15),
  tooth_mb: fc.integer({ min: 0, max: 60 }),
  tooth_s: fc.integer({ min: 3, max: 30 }),
});

describe('the floor of a sawtooth', () => {
  it('is flat whatever its teeth', () => {
    fc.assert(
      fc.property(anySawtooth, (teeth) => {
        expect(trendOf(sawtooth({ ...teeth, leak_mb_per_hour: 0 }), MEMORY).is_flat).toBe(true);
      }),
    );
  });

  it('is not flat where 20 MB an hour leak, as fifteen minutes tell', () => {
    fc.assert(
      fc.property(anySawtooth, (teeth) => {
        const { is_flat, slope_per_hour } = trendOf(sawtooth({ ...teeth, leak_mb_per_hour: 20 }), MEMORY);
        expect(is_flat).toBe(false);
        expect(Math.abs(slope_per_hour - 20)).toBeLessThan(10);
      }),
    );
  });

  it('is flat where memory grows in the warm-up alone, and where it falls', () => {
    const steady = { seed: 7, minutes: 15, tooth_mb: 30, tooth_s: 11 };
    const warmed = sawtooth({ ...steady, leak_mb_per_hour: 0 }).map(({ at_s, value }) => ({
      at_s,
      value: value - Math.max(0, 170 - at_s),
    }));
    expect(trendOf(warmed, MEMORY).is_flat).toBe(true);
    expect(trendOf(sawtooth({ ...steady, leak_mb_per_hour: -50 }), MEMORY).is_flat).toBe(true);
  });

  it('is not moved by one bad minute', () => {
    const steady = sawtooth({ seed: 9, minutes: 15, tooth_mb: 20, tooth_s: 9, leak_mb_per_hour: 0 });
    const burst = steady.map(({ at_s, value }) => ({ at_s, value: at_s > 800 && at_s < 880 ? value + 300 : value }));
    expect(trendOf(burst, MEMORY).is_flat).toBe(true);
  });

  it('tells where it began and ended, and how fast it went', () => {
    const line = Array.from({ length: 901 }, (_, at_s) => ({ at_s, value: 100 + at_s / 60 }));
    const { first, last, slope_per_hour, tau } = trendOf(line, MEMORY);
    expect([first, last]).toEqual([103, 114]);
    expect(slope_per_hour).toBeCloseTo(60);
    expect(tau).toBe(1);
  });
});

describe('a count', () => {
  const connections = (more: (at_s: number) => number): Sample[] =>
    Array.from({ length: 901 }, (_, at_s) => ({ at_s, value: 40 + (at_s % 3) + more(at_s) }));
  const limit = { per_hour: 12, rise: 2 };

  it('that goes up and down is flat; one that keeps a connection of each fifty is not', () => {
    expect(
      trendOf(
        connections(() => 0),
        limit,
      ).is_flat,
    ).toBe(true);
    expect(
      trendOf(
        connections((at_s) => Math.floor(at_s / 50)),
        limit,
      ).is_flat,
    ).toBe(false);
  });
});

describe('a run that was hardly begun', () => {
  it('is no ground for a verdict', () => {
    expect(() => trendOf([{ at_s: 0, value: 1 }], MEMORY)).toThrow('too few');
    expect(() => trendOf([], MEMORY)).toThrow('too few');
  });
});
