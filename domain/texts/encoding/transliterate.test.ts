import fc from 'fast-check';
import { expect, test } from 'vitest';
import { encodeText } from './encode_text.ts';

function sent(text: string): string {
  const encoded = encodeText(text, { transliterate: true });
  return encoded.kind === 'encoded' ? `${encoded.encoding} ${encoded.text}` : encoded.kind;
}

const padding = 'a'.repeat(90);

test('typography and marks give way where that saves a segment', () => {
  expect(sent(`${padding}’“–… ç Ł œ \u00a0ő e\u0301`)).toBe(`gsm7 ${padding}'"-... c L oe  o é`);
});

test('ligatures and fractions are taken apart', () => {
  expect(sent(`${padding}ﬁ ½ Ⅳ`)).toBe(`gsm7 ${padding}fi 1/2 IV`);
});

test('nothing is changed where no segment is saved', () => {
  expect(sent('“ç”')).toBe('ucs2 “ç”');
  expect(encodeText('…'.repeat(71), { transliterate: true })).toMatchObject({ encoding: 'ucs2', text: '…'.repeat(71) });
  expect(sent(`${padding}é€`)).toBe(`gsm7 ${padding}é€`);
});

test('a text that would not be GSM 7 all the same stays as it is', () => {
  expect(sent(`${padding}“привет”`)).toBe(`ucs2 ${padding}“привет”`);
  expect(sent(`${padding}“😀”`)).toBe(`ucs2 ${padding}“😀”`);
});

test('it is asked for, or not done', () => {
  expect(encodeText(`${padding}’`)).toMatchObject({ encoding: 'ucs2', text: `${padding}’` });
});

test('no text takes more segments for it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme', maxLength: 300, size: 'max' }), (text) => {
      const [plain, nearest] = [false, true].map((transliterate) =>
        encodeText(text, { transliterate, segments_max: 255 }),
      );
      if (plain?.kind === 'encoded' && nearest?.kind === 'encoded') {
        expect(nearest.segments.length).toBeLessThanOrEqual(plain.segments.length);
      } else {
        expect(nearest?.kind).toBe(plain?.kind);
      }
    }),
  );
});
