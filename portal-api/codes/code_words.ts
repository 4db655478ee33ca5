import { languageOf } from '../notices/words/languages.ts';
import type { Language } from '../notices/words/languages.ts';

type Words = (code: string, sender: string) => string;

/** Of the GSM alphabet alone and one segment long: hence “clave”, as the alphabet has no ó. */
const WORDS: Readonly<Record<Language, Words>> = {
  en: (code, sender) =>
    `${code} is your ${sender} code. It is valid for 10 minutes. Nobody of us ever asks you for it.`,
  de: (code, sender) => `${code} ist Ihr Code von ${sender}. Er gilt 10 Minuten. Niemand von uns fragt Sie je danach.`,
  fr: (code, sender) =>
    `${code} est votre code ${sender}. Il est valable 10 minutes. Personne chez nous ne vous le demande jamais.`,
  es: (code, sender) => `${code} es su clave de ${sender}. Vale 10 minutos. Nadie de nosotros se la pide nunca.`,
};

/** What a text with a code says, in the language of whoever asked for it. */
export function codeWords(locale: string, code: string, sender: string): string {
  return WORDS[languageOf(locale)](code, sender);
}
