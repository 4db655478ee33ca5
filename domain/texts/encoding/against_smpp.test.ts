import { createRequire } from 'node:module';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { decodeText } from './decode_text.ts';
import { encodeText } from './encode_text.ts';
import { gsm7Characters, gsm7ExtensionCharacters } from './gsm7_tables.ts';

type Encoding = {
  match(text: string): boolean;
  encode(text: string): Uint8Array;
  decode(octets: Uint8Array): string;
};

/** The npm package `smpp`, which has no types; what it calls ASCII is GSM 7, unpacked. */
const { encodings } = createRequire(import.meta.url)('smpp') as { encodings: { ASCII: Encoding; UCS2: Encoding } };

const characters = [...gsm7Characters, ...gsm7ExtensionCharacters];
const gsm7Text = fc.string({ unit: fc.constantFrom(...characters), maxLength: 160 });
// It lets an escape pass as a character.
const anyText = fc.string({ unit: 'binary', maxLength: 70 }).filter((text) => !text.includes('\x1b'));

function payload(text: string): { encoding: string; octets: Uint8Array } {
  const encoded = encodeText(text);
  if (encoded.kind === 'too_long') throw new Error('too long');
  const octets = encoded.segments.flatMap((segment) => [...segment.payload]);
  return { encoding: encoded.encoding, octets: Uint8Array.from(octets) };
}

test('it knows the same characters of GSM 7', () => {
  for (let unit = 0; unit < 0x10000; unit++) {
    const character = String.fromCharCode(unit);
    if (character === '\x1b') continue;
    if (encodings.ASCII.match(character) !== characters.includes(character)) throw new Error(`U+${unit.toString(16)}`);
  }
});

test('it encodes and decodes GSM 7 to the same', () => {
  fc.assert(
    fc.property(gsm7Text, (text) => {
      const { encoding, octets } = payload(text);
      expect(encoding).toBe('gsm7');
      expect(octets).toEqual(new Uint8Array(encodings.ASCII.encode(text)));
      const decoded = encodings.ASCII.decode(octets).replaceAll('\f', '\n');
      expect(decodeText(octets, 0)).toEqual({ kind: 'text', text: decoded });
    }),
  );
});

test('it finds the same encoding and the same UCS-2', () => {
  fc.assert(
    fc.property(anyText, (text) => {
      const { encoding, octets } = payload(text);
      expect(encoding).toBe(encodings.ASCII.match(text) ? 'gsm7' : 'ucs2');
      if (encoding === 'ucs2') expect(octets).toEqual(new Uint8Array(encodings.UCS2.encode(text)));
    }),
  );
});
