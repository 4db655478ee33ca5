import { expect, it } from 'vitest';
import { judgeArrivals } from './arrivals.ts';

it('what came in and was acknowledged has to be stored, and something has to have come', () => {
  expect(judgeArrivals(['a', 'b'], new Set(['a', 'b', 'c']))).toEqual({
    ...{ verdict: { arrivals: 2, arrivals_lost: 0 }, faults: [], passed: true },
  });
  const lost = judgeArrivals(['a', 'b'], new Set(['a']));
  expect([lost.verdict, lost.passed, lost.faults.length]).toEqual([{ arrivals: 2, arrivals_lost: 1 }, false, 1]);
  expect(judgeArrivals([], new Set()).passed).toBe(false);
});
