import fc from 'fast-check';
import { expect, it } from 'vitest';
import { judgeRoute } from './route_quality.ts';
import type { RouteFigures } from './route_quality.ts';

const threshold = { attempts_min: 10, asr_ppm_min: 400_000, acd_seconds_min: 30, pdd_ms_max: 4_000 };
const good: RouteFigures = { attempts: 10, answered: 4, talk_ms: 120_000, ringing_attempts: 10, pdd_ms_total: 40_000 };

it('nothing is said of a route that was hardly used', () => {
  expect(judgeRoute({ ...good, attempts: 9, answered: 0 }, threshold)).toBeNull();
});

it('a route at its thresholds is good', () => {
  expect(judgeRoute(good, threshold)).toEqual([]);
});

it.each([
  [
    { answered: 3, talk_ms: 90_000 },
    { figure: 'asr', measured: 300_000, allowed: 400_000 },
  ],
  [{ talk_ms: 119_999 }, { figure: 'acd', measured: 29, allowed: 30 }],
  [{ pdd_ms_total: 40_010 }, { figure: 'pdd', measured: 4_001, allowed: 4_000 }],
] as const)('each figure is judged by itself: %o', (change, breach) => {
  expect(judgeRoute({ ...good, ...change }, threshold)).toEqual([breach]);
});

it('without thresholds no route is bad', () => {
  const none = { attempts_min: 1, asr_ppm_min: null, acd_seconds_min: null, pdd_ms_max: null };
  const count = fc.nat(1_000_000);
  fc.assert(
    fc.property(count, count, count, count, (attempts, answered, talk_ms, pdd_ms_total) => {
      const ringing_attempts = Math.min(attempts, answered);
      const verdict = judgeRoute({ attempts, answered, talk_ms, ringing_attempts, pdd_ms_total }, none);
      expect(verdict ?? []).toEqual([]);
    }),
  );
});
