import { languageOf, WORDS } from './words/languages.ts';
import type { FactName, Language } from './words/languages.ts';

/** Who reads a notice, and how they write times and amounts. */
export interface Reader {
  locale: string;
  time_zone: string;
}

type FactKind =
  /** As it is: it may come from a person. */
  | 'text'
  /** An instant or a day of ISO 8601. */
  | 'moment'
  /** As `moneyWords` has it. */
  | 'amount'
  /** A count of them. */
  | 'days'
  /** A word of our own. */
  | 'word';

/** What is no moment though it could be one, such as “we end it”, is a word. */
const KINDS: Readonly<Record<FactName, FactKind>> = {
  ...{
    at: 'moment',
    'in force from': 'moment',
    next_try: 'moment',
    renewed_on: 'moment',
    scheduled_for: 'moment',
    since: 'moment',
  },
  ...{ until: 'moment', valid_until: 'moment', amount: 'amount', owed: 'amount', price: 'amount' },
  ...{ total: 'amount', days_left: 'days' },
  ...{ account: 'word', changed: 'word', decision: 'word', dispute: 'word', document: 'word', how: 'word' },
  ...{ outcome: 'word', scope: 'word', state: 'word', 'what it keeps you from': 'word' },
  ...{ 'what it kept you from': 'word', address: 'text', asked: 'text', code: 'text', link: 'text', name: 'text' },
  ...{ number: 'text', program: 'text', reason: 'text', to_operator: 'text', 'what is different': 'text', why: 'text' },
};

/** A fact as its reader writes it; whatever is not of its kind is told as it is. */
export function factWords(name: string, fact: string, reader: Reader): string {
  switch ((KINDS as Readonly<Record<string, FactKind>>)[name] ?? 'text') {
    case 'text':
      return fact;
    case 'moment':
      return momentWords(fact, reader) ?? wordOf(fact, reader);
    case 'amount':
      return amountWords(fact, reader) ?? fact;
    case 'days':
      return /^\d{1,6}$/u.test(fact) ? dayCount(Number(fact), reader) : fact;
    case 'word':
      return wordOf(fact, reader);
  }
}

function wordOf(fact: string, { locale }: Reader): string {
  return (WORDS[languageOf(locale)].values as Readonly<Record<string, string>>)[fact] ?? fact;
}

const INSTANT = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(?:\.\d+)?Z$/u;
const DAY = /^\d{4}-\d{2}-\d{2}$/u;

function momentWords(fact: string, reader: Reader): string | null {
  const is_day = DAY.test(fact);
  if ((!is_day && !INSTANT.test(fact)) || Number.isNaN(Date.parse(fact))) return null;
  const day = { day: 'numeric', month: 'long', year: 'numeric' } as const;
  const time = { hour: '2-digit', minute: '2-digit', timeZoneName: 'short' } as const;
  // A day is one and the same wherever it is read.
  const options = is_day ? { ...day, timeZone: 'UTC' } : { ...day, ...time, timeZone: reader.time_zone };
  return new Intl.DateTimeFormat(formatsOf(reader), options).format(new Date(fact));
}

function amountWords(fact: string, reader: Reader): string | null {
  const [, amount, currency] = /^([+-]?\d{1,19}(?:\.\d{1,6})?) ([A-Z]{3})$/u.exec(fact) ?? [];
  if (amount === undefined || currency === undefined) return null;
  const digits = amount.split('.')[1]?.length ?? 0;
  // Told as digits: a number of JavaScript would round what is large.
  const options = { style: 'currency', currency, minimumFractionDigits: digits, maximumFractionDigits: 6 } as const;
  return new Intl.NumberFormat(formatsOf(reader), options).format(amount as `${number}`);
}

function dayCount(days: number, reader: Reader): string {
  return new Intl.NumberFormat(formatsOf(reader), { style: 'unit', unit: 'day', unitDisplay: 'long' }).format(days);
}

/** English that nobody said the country of writes the day before the month. */
const PLAIN: Readonly<Record<Language, string>> = { en: 'en-GB', de: 'de', fr: 'fr', es: 'es' };

/** Formats follow the words: no date in Polish stands among English sentences. */
function formatsOf({ locale }: Reader): string {
  const language = languageOf(locale);
  return locale.startsWith(`${language}-`) ? locale : PLAIN[language];
}
