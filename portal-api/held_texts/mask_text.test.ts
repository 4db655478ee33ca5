import { expect, it } from 'vitest';
import { maskText } from './mask_text.ts';

it.each([
  ['Your code is 123456', 'Your code is ••••••'],
  ['The best casino at bit.ly/x7', 'The best casino at bit.ly/x•'],
  ['Write to ann.lee@example.org or call +44 7700 900123', 'Write to •••@••• or call +•• •••• ••••••'],
  ['كود ٤٥٦', 'كود •••'],
])('hides codes, numbers and addresses, and leaves the words to be judged: %s', (text, masked) => {
  expect(maskText(text)).toBe(masked);
});
