import { expect, it } from 'vitest';
import { laterWords } from './text_words.ts';

it.each([
  [0, '0.000 s'],
  [1_234, '1.234 s'],
  [59_999, '59.999 s'],
  [60_000, '1 min 0 s'],
  [3_599_999, '59 min 59 s'],
  [7_800_000, '2 h 10 min'],
  [97_200_000, '1 d 3 h'],
  [-500, '-0.500 s'],
])('%i ms later are %s', (ms, words) => {
  expect(laterWords(ms)).toBe(words);
});
