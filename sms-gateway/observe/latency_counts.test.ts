import { expect, it } from 'vitest';
import { LatencyCounts } from './latency_counts.ts';

it('counts as Prometheus does: each bucket has what is in the smaller ones, and the last has all', () => {
  const counts = new LatencyCounts();
  for (const ms of [5, 10, 11, 400, 30_000, 31_000]) counts.add(ms);
  const buckets = new Map(counts.buckets().map(({ le, count }) => [le, count]));
  expect([buckets.get('0.01'), buckets.get('0.025'), buckets.get('0.25'), buckets.get('0.5')]).toEqual([2, 3, 3, 4]);
  expect([buckets.get('30'), buckets.get('+Inf'), counts.count]).toEqual([5, 6, 6]);
  expect(counts.sum_s).toBeCloseTo(61.426, 6);
});
