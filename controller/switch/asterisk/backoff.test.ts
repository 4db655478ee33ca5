import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

it('waits longer each time up to a bound, and never a fixed time', () => {
  const bounds = { first: 100, most: 1_000 };
  expect([0, 1, 2, 3, 4, 50].map((attempt) => backoffMs(attempt, bounds, () => 1))).toEqual([
    100, 200, 400, 800, 1_000, 1_000,
  ]);
  expect(backoffMs(3, bounds, () => 0.25)).toBe(200);
});
