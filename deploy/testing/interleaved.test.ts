import { existsSync } from 'node:fs';
import { expect, it } from 'vitest';
import { LONGEST } from './interleaved.ts';

it('knows the longest tests by the names that they have', () => {
  const root = new URL('../../', import.meta.url);
  expect(LONGEST.filter((file) => !existsSync(new URL(file, root)))).toEqual([]);
  expect(new Set(LONGEST).size).toBe(LONGEST.length);
});
