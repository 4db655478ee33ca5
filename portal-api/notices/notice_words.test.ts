import { describe, expect, it } from 'vitest';
import { noticeTemplates, wordNotice } from './notice_words.ts';
import type { Facts } from './notice_words.ts';
import { PORT_IN_STATES } from '../numbers/moving/port_in_state.ts';
import { LANGUAGES, WORDS } from './words/languages.ts';
import type { FactName } from './words/languages.ts';

const wording = { brand: 'Acme', origin: 'https://acme.example' };
const read = (facts: Facts, locale: string, time_zone = 'Europe/Berlin'): string =>
  wordNotice('order_state', facts, wording, { locale, time_zone }).text.replaceAll(/[\u00A0\u202F]/gu, ' ');

const FORGED = 'Ada\r\nFrom: us\u2028Code: 1\u202Etxt.exe\u0000';

describe('a notice', () => {
  it.each(LANGUAGES)(
    'has every template in %s: whole sentences, every fact of it, and none that looks like another line',
    (locale) => {
      const names = Object.keys(WORDS.en.labels) as FactName[];
      const facts = Object.fromEntries(names.map((name, n) => [name, `${FORGED} ${n}`]));
      for (const template of noticeTemplates) {
        const { subject, text } = wordNotice(template, facts, wording, { locale, time_zone: 'UTC' });
        expect(`${subject}\n${text}`).not.toMatch(/[{}]|Letsdial|undefined/u);
        expect(subject).toMatch(/^Acme: \S.*\S$/u);
        const [sentences = '', list = ''] = text.split('\n\n');
        expect(sentences).toMatch(/^\S.{30,}[.]$/u);
        const lines = list.split('\n');
        expect(lines).toHaveLength(names.length);
        for (const [n, name] of names.entries()) {
          const label = WORDS[locale].labels[name];
          expect(lines[n]).toMatch(/^.+?\u00A0?: Ada From: us Code: 1 txt\.exe  ?\d+$/u);
          expect(lines[n]?.startsWith(label)).toBe(true);
        }
        if (locale !== 'en')
          expect(sentences).not.toBe(
            wordNotice(template, {}, wording, { locale: 'en', time_zone: 'UTC' }).text.split('\n\n')[0],
          );
      }
    },
  );

  it('writes moments in the zone, days, amounts and counts as its reader does', () => {
    const facts = { at: '2027-03-01T22:30:00.000Z', valid_until: '2027-03-31', amount: '1234.50 EUR' };
    expect(read(facts, 'en')).toContain(
      'At: 1 March 2027 at 23:30 CET\nValid until: 31 March 2027\nAmount: €1,234.50\n',
    );
    expect(read(facts, 'en-US', 'America/New_York')).toContain('At: March 1, 2027 at 05:30 PM EST\n');
    expect(read(facts, 'de')).toContain(
      'Zeitpunkt: 1. März 2027 um 23:30 MEZ\nGültig bis: 31. März 2027\nBetrag: 1.234,50 €\n',
    );
    expect(read(facts, 'fr')).toContain(
      'Moment : 1 mars 2027 à 23:30 UTC+1\nValable jusqu’au : 31 mars 2027\nMontant : 1 234,50 €\n',
    );
    expect(read(facts, 'es')).toContain(
      'Momento: 1 de marzo de 2027 a las 23:30 CET\nVálido hasta: 31 de marzo de 2027\nImporte: 1234,50 €\n',
    );
    // Digits that no number of JavaScript holds, and an amount below a cent.
    expect(read({ total: '9007199254740993.25 EUR' }, 'de')).toContain('9.007.199.254.740.993,25 €');
    expect(read({ total: '0.0125 EUR', price: '300 JPY' }, 'en')).toContain('Total: €0.0125\nPrice: JP¥300\n');
    expect(
      ['1', '2'].map((days_left) => /: (.*)$/mu.exec(read({ days_left }, 'de').split('\n\n')[1] ?? '')?.[1]),
    ).toEqual(['1 Tag', '2 Tage']);
    expect(read({ days_left: '1' }, 'es')).toContain('1 día');
  });

  it('tells our own words in the language of its reader, and what people wrote as they wrote it', () => {
    const facts = {
      state: 'failed' as const,
      until: 'we end it',
      why: 'failed',
      reason: '2027-03-01T22:30:00.000Z',
      number: '2027-03-31',
    };
    expect(read(facts, 'de-CH')).toContain(
      'Stand: gescheitert\nBis: bis wir sie beenden\nWarum: failed\nGrund: 2027-03-01T22:30:00.000Z\nNummer: 2027-03-31\n',
    );
  });

  it('of new terms says that nothing is bought, nobody calls and no text is sent until they are agreed to, but calls for help', () => {
    const textOf = (locale: string): string =>
      wordNotice('terms_in_force', {}, wording, { locale, time_zone: 'UTC' }).text;
    expect(textOf('en')).toMatch(/buy nothing.*calls.*no texts.*help/u);
    expect(textOf('de')).toMatch(/nichts kaufen.*anrufen.*keine SMS.*Notrufe/u);
    expect(textOf('fr')).toMatch(/rien acheter.*appeler.*SMS.*urgence/u);
    expect(textOf('es')).toMatch(/comprar nada.*llamar.*SMS.*emergencia/u);
  });

  it.each(['de', 'fr', 'es'] as const)('tells in %s how a number stands that comes from another operator', (locale) => {
    for (const state of PORT_IN_STATES) {
      const values: Readonly<Record<string, string>> = WORDS[locale].values;
      expect(values[state]).not.toBe(WORDS.en.values[state]);
      expect(read({ state, scheduled_for: '2027-03-31' }, locale)).toContain(`: ${values[state] ?? 'none'}\n`);
    }
    expect(read({ scheduled_for: '2027-03-31' }, locale)).toMatch(/: 31.* (?:März|mars|marzo) .*2027\n/u);
    expect(read({ scheduled_for: '2027-03-31' }, locale)).not.toMatch(/scheduled/iu);
  });

  it('is English for whoever reads a language that we have no words in, and tells facts that have no label by their name', () => {
    const text = read({ at: '2027-03-01T22:30:00.000Z', of_old: 'kept' } as Facts, 'pl-PL');
    expect(text).toContain('There is news of your order.');
    expect(text).toContain('At: 1 March 2027 at 23:30 CET\nOf old: kept\n');
  });
});
