import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { PUMPING_DEFAULTS as settings } from './pumping_settings.ts';
import { countPassed, countText, makeTraffic, STEP_MS, stepTo, usualTexts, type Standing } from './traffic.ts';

const standing = (): Standing => ({ slot: 0, is_even_step: false });

/** The average as its definition says: what still counts after each step, older steps counting less. */
function usualBySteps(texts: number, steps: number, steps_before: number): number {
  const [kept, usual_kept] = [settings.half_life_ms, settings.usual_half_life_ms].map((ms) => 0.5 ** (STEP_MS / ms));
  let [passed, sum, weight] = [texts, 0, 0];
  for (let step = 0; step < steps_before; step += 1) weight = weight * (usual_kept ?? 0) + 1;
  for (let step = 0; step < steps; step += 1) {
    passed *= kept ?? 0;
    sum = sum * (usual_kept ?? 0) + passed;
    weight = weight * (usual_kept ?? 0) + 1;
  }
  return sum / weight;
}

describe('the traffic of a country', () => {
  it('comes to the same by many small steps of time as by one large', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), fc.integer({ min: 0, max: 50 }), (steps, texts) => {
        const [slow, fast] = [makeTraffic(0, 10, settings), makeTraffic(0, 10, settings)];
        for (const traffic of [slow, fast]) {
          for (let text = 0; text < texts; text += 1) {
            countText(traffic, 49_151_000_000 + text * 31, settings, standing());
            countPassed(traffic);
          }
        }
        for (let step = 1; step <= steps; step += 1) stepTo(slow, step * STEP_MS, settings);
        stepTo(fast, steps * STEP_MS, settings);
        expect(fast.texts).toBeCloseTo(slow.texts, 6);
        expect(usualTexts(fast)).toBeCloseTo(usualTexts(slow), 6);
        expect(usualTexts(fast)).toBeCloseTo(usualBySteps(texts, steps, 10), 6);
        expect(fast.blocks.own_sum).toBeCloseTo(slow.blocks.own_sum, 6);
        if (steps >= 4) expect(fast.ripe > 0).toBe(texts > 0);
        else expect(fast.ripe).toBe(0);
      }),
      { numRuns: 50 },
    );
  });

  it('counts half after the half-life, and nothing changes when the clock is set back', () => {
    const traffic = makeTraffic(0, 0, settings);
    countText(traffic, 491_510_000_000, settings, standing());
    stepTo(traffic, settings.half_life_ms, settings);
    expect(traffic.texts).toBeCloseTo(0.5, 9);
    stepTo(traffic, 0, settings);
    expect(traffic.texts).toBeCloseTo(0.5, 9);
  });

  it('knows numbers in even steps, and not a number twice', () => {
    const traffic = makeTraffic(0, 0, settings);
    const even = [10, 1_010, 2_010, 3_010, 3_010, 3_010].map((digits) => {
      const where = standing();
      countText(traffic, digits, settings, where);
      return where.is_even_step;
    });
    expect(even).toEqual([false, false, true, true, false, false]);
  });

  it('takes what was usual from the first step on, and less where nothing was sent before', () => {
    const [fresh, late] = [makeTraffic(0, 0, settings), makeTraffic(0, 10_000, settings)];
    for (let step = 1; step <= 1_000; step += 1) {
      for (const traffic of [fresh, late]) {
        for (let text = 0; text < 5; text += 1) countPassed(traffic);
        stepTo(traffic, step * STEP_MS, settings);
      }
    }
    expect(usualTexts(fresh)).toBeGreaterThan(0.8 * fresh.passed.lately);
    expect(usualTexts(late)).toBeLessThan(0.2 * late.passed.lately);
  });
});
