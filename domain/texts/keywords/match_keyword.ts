import { keywords, keywordLanguages, type KeywordAction, type KeywordLanguage } from './words.ts';

/** No keyword with all that may surround it is longer; a longer text is not looked at. */
const LENGTH_MAX = 160;

/**
 * The keyword that an incoming text is, null where it is none. It counts before anything else on a text.
 *
 * The whole text must be the keyword: what stands around it and is neither letter nor digit (spaces, line ends, quotes,
 * punctuation, emoji) is ignored, and so are case, accents, width, and a hyphen in place of a space. "Stop!!", "« ARRÊT »"
 * and "opt-out" count; "please stop" and "stop it" do not, nor does "STOP" with a name behind it: it has the form of "stop
 * lying", and what it stops would be a guess. "STOP ALL" counts as it is a keyword itself, and a word said several times
 * ("stop stop stop") is that word.
 *
 * English counts always, and every language unless `languages` says which: to overlook that somebody wants no more texts is
 * worse than to answer a word that meant something else.
 */
export function matchKeyword(
  text: string,
  languages: readonly KeywordLanguage[] = keywordLanguages,
): KeywordAction | null {
  const trimmed = text.trim();
  if (trimmed.length > LENGTH_MAX) return null;
  const word = meanings.get(comparable(trimmed));
  if (word === undefined) return null;
  return word.languages.has('en') || languages.some((one) => word.languages.has(one)) ? word.action : null;
}

/** Letters that are the same to who types in haste, and that Unicode does not decompose. */
const SAME: Readonly<Record<string, string>> = {
  ...{ ı: 'i', ł: 'l', ø: 'o', đ: 'd', ß: 'ss', æ: 'ae', œ: 'oe', ς: 'σ' },
  // Alef maksura and teh marbuta; the tatweel only stretches.
  ...{ ى: 'ي', ة: 'ه', ـ: '' },
};

/** Marks of Latin, Greek and Cyrillic letters, Hebrew points, Arabic vowels and hamzas. Marks of other scripts are letters. */
const MARKS = /[\u0300-\u036f\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u064b-\u065f\u0670]/gu;

/** Variation selectors, joiners and direction marks: they come with emoji and with texts from right to left. */
const INVISIBLE = /[\p{Cf}\ufe00-\ufe0f]/gu;

/** One word, and again, and again. */
const REPEATED = /^([\p{L}\p{N}\p{M}]+)(?:[^\p{L}\p{N}\p{M}]+\1)+$/u;

/** A text in the form in which keywords are compared. */
function comparable(text: string): string {
  return text
    .normalize('NFKC')
    .replace(INVISIBLE, '')
    .replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}\p{M}]+$/gu, '')
    .toLowerCase()
    .normalize('NFD')
    .replace(MARKS, '')
    .replace(/[ılłøđßæœςىةـ]/gu, (one) => SAME[one] ?? one)
    .normalize('NFC')
    .replace(REPEATED, '$1')
    .replace(/[\s\p{Pd}_]+/gu, ' ');
}

type Meaning = { readonly action: KeywordAction; readonly languages: Set<KeywordLanguage> };

const meanings = new Map<string, Meaning>();

for (const language of keywordLanguages) {
  for (const action of ['stop', 'start', 'help'] as const) {
    for (const word of keywords[language][action].split(', ')) {
      const form = comparable(word);
      const known = meanings.get(form);
      if (known !== undefined && known.action !== action) {
        throw new Error(
          `The keyword "${word}" means ${action} in ${language}, and ${known.action} in another language.`,
        );
      }
      if (known === undefined) meanings.set(form, { action, languages: new Set([language]) });
      else known.languages.add(language);
    }
  }
}
