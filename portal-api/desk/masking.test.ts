import fc from 'fast-check';
import { expect, it } from 'vitest';
import { maskEmail, maskName, maskPhone } from './masking.ts';

it.each([
  [maskEmail, 'ada@example.org', 'a•••@e•••.org'],
  [maskEmail, 'nonsense', '•••'],
  [maskPhone, '+493012345667', '+4930•••67'],
  [maskPhone, '+4930123', '•••'],
  [maskName, 'Ada  Example', 'A••• E•••'],
  [maskName, '𝒜da', '𝒜•••'],
] as const)('%o of %s is %s', (mask, plain, masked) => {
  expect(mask(plain)).toBe(masked);
});

it('no mask leaves a word of three letters whole', () => {
  const word = fc.stringMatching(/^[a-z]{3,12}$/u);
  fc.assert(
    fc.property(word, word, fc.constantFrom('org', 'co.uk', 'example'), (one, two, end) => {
      // The top of a domain is left readable on purpose, so it is set aside before the rest is looked at: a word may be in both.
      const masked = maskEmail(`${one}@${two}.${end}`);
      const top = end.slice(end.lastIndexOf('.'));
      expect(masked.endsWith(top)).toBe(true);
      expect(masked.slice(0, -top.length)).not.toMatch(new RegExp(`${one}|${two}`, 'u'));
      expect(maskName(`${one} ${two}`)).not.toMatch(new RegExp(`${one}|${two}`, 'u'));
    }),
    { examples: [['all', 'aaa', 'example']] },
  );
});
