const SEPARATOR = 0;
const PART_OF_WORD = 1;
/** A character of a script that is written without spaces. */
const ALONE = 2;

const IN_WORDS = /^[\p{L}\p{N}\p{M}]$/u;
const WITHOUT_SPACES =
  /^[\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}\p{Script=Thai}\p{Script=Lao}\p{Script=Khmer}\p{Script=Myanmar}]$/u;

/** What each UTF-16 unit is; half of a surrogate pair, such as an emoji, separates. */
const KINDS = Uint8Array.from({ length: 0x10000 }, (_, unit) => {
  const character = String.fromCharCode(unit);
  if (!IN_WORDS.test(character)) return SEPARATOR;
  return WITHOUT_SPACES.test(character) ? ALONE : PART_OF_WORD;
});

export function isInWord(unit: number): boolean {
  return KINDS[unit] !== SEPARATOR;
}

/** The words of a text. Where a script puts no spaces between words each character is one, so that a word is several in a row. */
export function tokensOf(folded: string): string[] {
  const tokens: string[] = [];
  let begin = -1;
  for (let at = 0; at < folded.length; at += 1) {
    const kind = KINDS[folded.charCodeAt(at)];
    if (kind === PART_OF_WORD) {
      if (begin < 0) begin = at;
      continue;
    }
    if (begin >= 0) tokens.push(folded.slice(begin, at));
    begin = -1;
    if (kind === ALONE) tokens.push(folded.charAt(at));
  }
  if (begin >= 0) tokens.push(folded.slice(begin));
  return tokens;
}
