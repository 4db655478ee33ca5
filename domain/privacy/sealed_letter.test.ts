import fc from 'fast-check';
import { expect, it } from 'vitest';
import { makeLetterKey, openLetter, sealLetter } from './sealed_letter.ts';

const context = 'spoken_code.box:1' as const;

it('is opened by whom it is for, and by nobody else, nowhere else, and not when it was changed', () => {
  const [mine, theirs] = [makeLetterKey(), makeLetterKey()];
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 200 }), fc.nat(), (bytes, at) => {
      const plain = Buffer.from(bytes);
      const letter = sealLetter(mine.public_key, context, plain);
      expect(openLetter(mine, context, letter)).toEqual(plain);
      expect(() => openLetter(theirs, context, letter)).toThrow();
      expect(() => openLetter(mine, 'spoken_code.box:2', letter)).toThrow();
      const changed = Buffer.from(letter);
      changed.writeUInt8(changed.readUInt8(at % changed.length) ^ 1, at % changed.length);
      expect(() => openLetter(mine, context, changed)).toThrow();
      if (plain.length >= 4) expect(letter.includes(plain)).toBe(false);
    }),
    { numRuns: 50 },
  );
});
