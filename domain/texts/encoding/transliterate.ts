/** What typographers, keyboards and word processors put in place of a character that GSM 7 has. */
const REPLACEMENTS: Readonly<Record<string, string>> = {
  ...row("'", '‘’‚‛′´`ʼʹˈ＇'),
  ...row('"', '“”„‟″«»＂'),
  ...row('-', '‐‑‒–—―−⁃－'),
  ...row(' ', '\t\u00a0\u1680\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f\u3000'),
  ...row('\n', '\u2028\u2029\u0085\v'),
  ...row('', '\u200b\u2060\ufeff\u00ad'),
  ...row('*', '•·‣◦∙'),
  ...row('/', '⁄∕'),
  ...row('<', '‹'),
  ...row('>', '›'),
  ...{ '…': '...', '№': 'No', '™': 'TM', '©': '(c)', '®': '(r)', '°': 'o', '×': 'x', '÷': '/', '¢': 'c' },
  ...{ œ: 'oe', Œ: 'OE', ł: 'l', Ł: 'L', đ: 'd', Đ: 'D', ð: 'd', Ð: 'D', þ: 'th', Þ: 'Th', ı: 'i', ĸ: 'k', ŋ: 'n' },
  ...{ ħ: 'h', Ħ: 'H', ŧ: 't', Ŧ: 'T', ẞ: 'SS', ſ: 's', ª: 'a', º: 'o', '¹': '1', '²': '2', '³': '3' },
};

function row(by: string, of: string): Record<string, string> {
  return Object.fromEntries(Array.from(of, (one) => [one, by]));
}

/**
 * A text in the nearest characters of GSM 7: typographic quotes, dashes and spaces become plain ones, a letter that GSM 7
 * lacks loses its marks ("ç" becomes "c"; "é" stays). What has no near character is left, and the text of no use then.
 */
export function transliterate(text: string, isGsm7: (character: string) => boolean): string {
  const nearest = (character: string): string | undefined => (isGsm7(character) ? character : REPLACEMENTS[character]);
  return Array.from(text.normalize('NFC'), (character) => {
    const whole = nearest(character);
    if (whole !== undefined) return whole;
    const bare = character.normalize('NFKD').replace(/\p{M}/gu, '');
    return Array.from(bare, (one) => nearest(one) ?? one).join('');
  }).join('');
}
