import { expect, it } from 'vitest';
import { plainJson } from './plain_json.ts';

it('is exact beyond what a number can say', () => {
  expect(plainJson({ small: 5n, large: 2n ** 60n, at: new Date(0) })).toBe(
    '{"small":5,"large":"1152921504606846976","at":"1970-01-01T00:00:00.000Z"}',
  );
});
