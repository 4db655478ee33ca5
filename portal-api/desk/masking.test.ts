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
    fc.property(word, word, word, (one, two, end) => {
      expect(maskEmail(`${one}@${two}.${end}`)).not.toContain(one);
      expect(maskName(`${one} ${two}`)).not.toMatch(new RegExp(`${one}|${two}`, 'u'));
    }),
  );
});
