import { expect, it } from 'vitest';
import { backoffMs } from './backoff.ts';

it('waits longer each time up to a bound, never less than half of it, and never a fixed time', () => {
  const bounds = { first_ms: 100, most_ms: 1_000 };
  const waits = (chance: number): number[] =>
    [0, 1, 2, 3, 4, 5_000].map((attempt) => backoffMs(attempt, bounds, () => chance));
  expect(waits(0)).toEqual([50, 100, 200, 400, 500, 500]);
  expect(waits(0.5)).toEqual([75, 150, 300, 600, 750, 750]);
});
