import { factWords } from './fact_words.ts';
import type { Reader } from './fact_words.ts';
import { languageOf, WORDS } from './words/languages.ts';
import type { FactName, FactValue, NoticeTemplate } from './words/languages.ts';

export type { FactName, NoticeTemplate } from './words/languages.ts';

/** What the words of a notice are made for. */
export interface Wording {
  brand: string;
  /** Where the portal's pages come from. */
  origin: string;
}

/**
 * What there is to say beside the words, by the names that `words/english.ts` has labels for. Moments are written as ISO 8601, amounts as
 * `moneyWords` does; each is told as its reader writes it.
 */
export type Facts = Readonly<
  Partial<
    Record<Exclude<FactName, 'state'>, string> & {
      /** One of our own words, so that it is told in every language. */
      state: FactValue;
    }
  >
>;

/** The names of all there are. */
export const noticeTemplates = Object.keys(WORDS.en.notices) as readonly NoticeTemplate[];

export function isNoticeTemplate(name: string): name is NoticeTemplate {
  return Object.hasOwn(WORDS.en.notices, name);
}

/** The mail that a notice is, in the language of whoever reads it. The facts follow the text, a line each, so that nothing is left unfilled. */
export function wordNotice(
  template: NoticeTemplate,
  facts: Readonly<Record<string, string>>,
  { brand, origin }: Wording,
  reader: Reader,
): { subject: string; text: string } {
  const words = WORDS[languageOf(reader.locale)];
  const filled = (text: string): string => text.replaceAll('{brand}', brand).replaceAll('{origin}', origin);
  const { subject, text } = words.notices[template];
  const lines = Object.entries(facts).map(
    ([name, fact]) => `${labelOf(words.labels, name)}${colonOf(reader)} ${oneLine(factWords(name, fact, reader))}`,
  );
  const paragraphs = [filled(text), ...(lines.length > 0 ? [lines.join('\n')] : []), brand];
  return { subject: `${brand}: ${filled(subject)}`, text: `${paragraphs.join('\n\n')}\n` };
}

/** A fact that was queued by a former version of ours and has no label any more is told by its name. */
function labelOf(labels: Readonly<Record<string, string>>, name: string): string {
  const words = labels[name] ?? name.replaceAll('_', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}

/** French sets a space before it that no line is broken at. */
const colonOf = ({ locale }: Reader): string => (languageOf(locale) === 'fr' ? '\u00A0:' : ':');

/** A fact may come from a person; it can neither look like a further line of ours, nor turn the direction of what follows. */
function oneLine(fact: string): string {
  return fact.replaceAll(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]+/gu, ' ').trim();
}
