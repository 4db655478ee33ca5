import { expect, it } from 'vitest';
import { begun, bound, lost } from './bind_standing.ts';

it('how a bind stands is told with since when, why it was away and when it tries again', () => {
  let standing = begun(1_000);
  expect(standing).toEqual({ is_bound: false, since_ms: 1_000, last_error: null, next_attempt_at_ms: null });
  standing = lost(standing, 'refused', 200, 2_000);
  const refused = { why: 'refused', at_ms: 2_000 };
  expect(standing).toEqual({ is_bound: false, since_ms: 1_000, last_error: refused, next_attempt_at_ms: 2_200 });
  standing = bound(standing, 3_000);
  expect(standing).toEqual({ is_bound: true, since_ms: 3_000, last_error: refused, next_attempt_at_ms: null });
  standing = lost(standing, 'reset', 400, 4_000);
  const reset = { why: 'reset', at_ms: 4_000 };
  expect(standing).toEqual({ is_bound: false, since_ms: 4_000, last_error: reset, next_attempt_at_ms: 4_400 });
  // That we ended it ourselves is no error.
  standing = lost(bound(standing, 5_000), null, null, 6_000);
  expect(standing).toEqual({ is_bound: false, since_ms: 6_000, last_error: reset, next_attempt_at_ms: null });
  // A carrier that comes to us is lost, and nothing is tried again.
  standing = lost(bound(standing, 7_000), 'reset', null, 8_000);
  expect(standing).toMatchObject({ last_error: { why: 'reset', at_ms: 8_000 }, next_attempt_at_ms: null });
});
