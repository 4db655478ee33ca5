import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Quality } from './quality.ts';

const HOUR_MS = 3_600_000;
const START = Date.UTC(2026, 0, 15);

/** Of so many texts the first `delivered` of each ten arrive. */
function end(quality: Quality, texts: number, of: { to?: string | null; delivered: number; at_ms?: number }): void {
  const { to = 'GB', delivered, at_ms = START } = of;
  for (let n = 0; n < texts; n += 1) quality.ended(1, to, n % 10 < delivered, at_ms);
}

const of = (quality: Quality, now_ms = START): { ppm: number; to: Record<string, number> } => {
  const { quality_ppm, quality_ppm_by_country } = quality.of(1, now_ms);
  return { ppm: quality_ppm, to: Object.fromEntries(quality_ppm_by_country) };
};

describe('the quality of a carrier', () => {
  it('is taken to be good while nothing can be said of it', () => {
    const quality = new Quality();
    expect(of(quality)).toEqual({ ppm: 1_000_000, to: {} });
    end(quality, 45, { delivered: 0 });
    expect(of(quality).ppm).toBe(1_000_000);
    end(quality, 10, { delivered: 0 });
    expect(of(quality).ppm).toBe(0);
  });

  it('is the share that arrives, in all and to each country', () => {
    const quality = new Quality();
    end(quality, 1_000, { to: 'GB', delivered: 9 });
    end(quality, 300, { to: 'NG', delivered: 2 });
    end(quality, 10, { to: 'DE', delivered: 0 });
    end(quality, 100, { to: null, delivered: 9 });
    const { ppm, to } = of(quality);
    expect(Object.keys(to).toSorted()).toEqual(['GB', 'NG']);
    expect(to['GB']).toBeGreaterThan(870_000);
    expect(to['NG']).toBeLessThan(300_000);
    expect(ppm).toBeGreaterThan(to['NG'] ?? 0);
    expect(ppm).toBeLessThan(to['GB'] ?? 0);
  });

  it('lies between what the country says and what all say, nearer to all where the country says little', () => {
    fc.assert(
      fc.property(fc.integer({ min: 30, max: 400 }), fc.integer({ min: 0, max: 10 }), (texts, delivered) => {
        const quality = new Quality();
        end(quality, 2_000, { to: 'GB', delivered: 5 });
        end(quality, texts, { to: 'FR', delivered });
        const { ppm, to } = of(quality);
        const [low, high] = [Math.min(ppm, delivered * 100_000), Math.max(ppm, delivered * 100_000)];
        // The last ten may be unfinished, and the latest count most.
        expect(to['FR']).toBeGreaterThanOrEqual(low - 60_000);
        expect(to['FR']).toBeLessThanOrEqual(high + 60_000);
      }),
    );
  });

  it('is forgotten with time, so that who was bad is tried again', () => {
    const quality = new Quality();
    end(quality, 1_000, { delivered: 1 });
    expect(of(quality, START + 6 * HOUR_MS).ppm).toBeLessThan(200_000);
    expect(of(quality, START + 48 * HOUR_MS)).toEqual({ ppm: 1_000_000, to: {} });
    // A clock that was set back makes nobody better, nor worse.
    expect(of(quality, START)).toEqual({ ppm: 1_000_000, to: {} });
  });

  it('turns within some hundred texts', () => {
    const quality = new Quality();
    end(quality, 5_000, { delivered: 10 });
    end(quality, 700, { delivered: 0 });
    expect(of(quality).ppm).toBeLessThan(400_000);
    end(quality, 2_000, { delivered: 10 });
    expect(of(quality).ppm).toBeGreaterThan(900_000);
  });
});
