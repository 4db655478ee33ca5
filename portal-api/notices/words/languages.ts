import { english } from './english.ts';
import { french } from './french.ts';
import { german } from './german.ts';
import type { LocaleWords } from './locale_words.ts';
import { spanish } from './spanish.ts';

export type NoticeTemplate = keyof (typeof english)['notices'];
export type FactName = keyof (typeof english)['labels'];
export type FactValue = keyof (typeof english)['values'];

/** What a language has to have, all of it: one that lacks a template does not compile. */
export type EveryWord = LocaleWords<NoticeTemplate, FactName, FactValue>;

export const LANGUAGES = ['en', 'de', 'fr', 'es'] as const;
export type Language = (typeof LANGUAGES)[number];

export const WORDS: Readonly<Record<Language, EveryWord>> = { en: english, de: german, fr: french, es: spanish };

/** The language of a locale such as `de-AT`, where we have its words; else English. */
export function languageOf(locale: string): Language {
  const language = locale.slice(0, 2);
  return LANGUAGES.find((one) => one === language) ?? 'en';
}
