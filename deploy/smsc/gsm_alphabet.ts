/**
 * The default alphabet of 3GPP TS 23.038 section 6.2.1, one octet a character as SMPP carries it, with its extension table.
 * Written down a second time on purpose: the other side of a test must not decode with what is tested.
 */
const BASIC =
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞ\x1bÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
  '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà';
const ESCAPE = 0x1b;
const EXTENSION: readonly (readonly [code: number, character: string])[] = [
  [0x0a, '\f'],
  [0x14, '^'],
  [0x28, '{'],
  [0x29, '}'],
  [0x2f, '\\'],
  [0x3c, '['],
  [0x3d, '~'],
  [0x3e, ']'],
  [0x40, '|'],
  [0x65, '€'],
];

const CODES: ReadonlyMap<string, readonly number[]> = new Map([
  ...Array.from(BASIC, (character, code): [string, number[]] => [character, [code]]).filter(
    ([, [code]]) => code !== ESCAPE,
  ),
  ...EXTENSION.map(([code, character]): [string, number[]] => [character, [ESCAPE, code]]),
]);
const EXTENDED: ReadonlyMap<number, string> = new Map(EXTENSION);

/** For each character its octets, one or two. Null where the alphabet lacks one. */
export function toGsm(text: string): (readonly number[])[] | null {
  const characters: (readonly number[])[] = [];
  for (const character of text) {
    const codes = CODES.get(character);
    if (codes === undefined) return null;
    characters.push(codes);
  }
  return characters;
}

/** What is no character shows as U+FFFD. */
export function fromGsm(octets: Uint8Array): string {
  let text = '';
  for (let at = 0; at < octets.length; at += 1) {
    const code = octets[at] ?? 0;
    if (code === ESCAPE) {
      at += 1;
      text += EXTENDED.get(octets[at] ?? 0) ?? '\ufffd';
    } else {
      text += BASIC[code] ?? '\ufffd';
    }
  }
  return text;
}
