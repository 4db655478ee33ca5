import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { countSegments } from '../encoding/encode_text.ts';
import { matchKeyword } from './match_keyword.ts';
import { BRAND_CHARACTERS_MAX, keywordReply } from './replies.ts';
import { keywordLanguages, keywords, type KeywordAction } from './words.ts';

const actions: readonly KeywordAction[] = ['stop', 'start', 'help'];
const all = keywordLanguages.flatMap((language) =>
  actions.flatMap((action) => keywords[language][action].split(', ').map((word) => ({ language, action, word }))),
);

describe('a keyword', () => {
  test.each([
    ...[
      'STOP',
      'stop',
      'Stop',
      'STOP.',
      'stop!!',
      ' Stop ',
      '"STOP"',
      '“Stop”',
      '«stop»',
      '(stop)',
      'STOP 🛑',
      '🙏 stop ❤️',
    ],
    ...[
      'stop\r\n',
      '\tSTOP\0',
      'ＳＴＯＰ',
      '𝐒𝐓𝐎𝐏',
      '\u200fstop\u200f',
      '> STOP',
      '- stop -',
      '*STOP*',
      'STOP!👍🏽',
      's\u200btop',
    ],
    ...[
      'STOPALL',
      'Stop all',
      'STOP-ALL',
      'stop  all',
      'stop\nall',
      'UNSUBSCRIBE',
      'STOP STOP STOP',
      'Stop! Stop!!',
      'Cancel',
      'END',
      'quit',
      'Revoke',
    ],
    ...['OPTOUT', 'opt out', 'Opt-Out', 'OPT_OUT', 'opt‑out'],
    ...[
      'ARRET',
      'Arrêt',
      'arre\u0302t',
      'ARRÊTER',
      'BAJA',
      'baja.',
      'STOPP',
      'Abmelden',
      'kündigen',
      'KUENDIGEN',
      'Detener',
    ],
    ...[
      'PARAR',
      'ZAKOŃCZ',
      'zakoncz',
      'IPTAL',
      'İPTAL',
      'iptal',
      'ıptal',
      'ÇIKIŞ',
      'cikis',
      'ΔΙΑΚΟΠΗ',
      'διακοπή',
      'Τέλος',
      'ΤΕΛΟΣ',
    ],
    ...[
      'СТОП',
      'стоп',
      'Відписатися',
      'إيقاف',
      'ايقاف',
      'إِلْغاء',
      'הסר',
      'הָסֵר',
      'रोकें',
      'बंद करो।',
      'ｽﾄｯﾌﾟ',
      '停止。',
      '수신거부',
      '수신 거부',
    ],
    ...['退订', '【退訂】', 'Oprește', 'OPRESTE', 'opreşte', 'Állj!', 'allj'],
  ])('to stop: %j', (text) => expect(matchKeyword(text)).toBe('stop'));

  test.each(['START', 'start.', 'UNSTOP', 'Anmelden', 'ALTA', 'começar', 'СТАРТ', '開始', '¡Iniciar!'])(
    'to start: %j',
    (text) => expect(matchKeyword(text)).toBe('start'),
  );

  test.each(['HELP', 'help?', 'INFO', 'Hilfe!', '¿Ayuda?', 'hjälp', 'HJÆLP', 'HJAELP', 'מידע', 'मदद', '도움말'])(
    'for help: %j',
    (text) => expect(matchKeyword(text)).toBe('help'),
  );
});

describe('no keyword', () => {
  test.each([
    ...[
      '',
      ' ',
      '!!!',
      '🛑',
      'Please stop by at 8',
      'Stop it',
      'stop lying',
      'please stop',
      'Do not stop',
      'Is this the last stop?',
    ],
    ...['STOP ACME', 'STOP 12345', 'stopped', 'non-stop', 'nonstop', 'bus stop', 'stop1', 'S T O P', 'S.T.O.P'],
    ...[
      'The end',
      'end of story',
      'Weekend',
      'start now',
      'Can you help me?',
      'Hilfe kommt',
      'informed',
      'cancel my order 12',
    ],
    ...['YES', 'yes', 'Ja', 'Sí', 'No', 'OK', 'fine', 'Fin!', 'slut', 'red', 'son', 'Peru', 'basta', 'sluta!', '그만'],
    ...[
      'STOP\n\nSent from my phone',
      'I said STOP',
      'Entschuldigung, ich komme an der nächsten Haltestelle',
      '停止しないで',
      'सहायत',
      '取消了吗',
    ],
  ])('%j', (text) => expect(matchKeyword(text)).toBeNull());

  test('in a text that is long only for what surrounds it', () => {
    expect(matchKeyword(`${' '.repeat(1000)}stop${'\n'.repeat(1000)}`)).toBe('stop');
    expect(matchKeyword(`stop${'!'.repeat(1000)}`)).toBeNull();
  });
});

test('every word of every language is understood, in capitals and without accents too', () => {
  for (const { action, word } of all) {
    const bare = word
      .normalize('NFD')
      .replace(/[\u0300-\u036f]/gu, '')
      .normalize('NFC');
    expect([word, word.toUpperCase(), bare, `«${word}!»`].map((one) => matchKeyword(one))).toEqual(
      Array(4).fill(action),
    );
  }
});

test('English counts in every language, another language where it is asked for', () => {
  expect([matchKeyword('stop', []), matchKeyword('stop', ['de'])]).toEqual(['stop', 'stop']);
  expect([matchKeyword('baja', ['es']), matchKeyword('baja', ['de', 'fr']), matchKeyword('baja', [])]).toEqual([
    'stop',
    null,
    null,
  ]);
  expect([matchKeyword('cancelar', ['pt']), matchKeyword('cancelar', ['es'])]).toEqual(['stop', 'stop']);
});

test('a word with anything but decoration at it is none', () => {
  const word = fc.constantFrom(...all);
  const other = fc.stringMatching(/^[b-df-hj-np-rv-xz]{3,9}$/);
  fc.assert(
    fc.property(word, other, fc.constantFrom(' ', ' - ', '. '), fc.boolean(), (one, more, gap, is_before) => {
      const text = is_before ? more + gap + one.word : one.word + gap + more;
      expect(matchKeyword(text)).toBeNull();
    }),
  );
});

test('decoration changes nothing, and no text makes it throw', () => {
  const decoration = fc.string({
    unit: fc.constantFrom(' ', '!', '.', '"', '“', '🛑', '❤️', '\n', '\0', '-'),
    maxLength: 9,
  });
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 20 }), decoration, decoration, (text, before, behind) => {
      expect(matchKeyword(before + text + behind)).toBe(matchKeyword(text));
    }),
  );
  fc.assert(
    fc.property(fc.constantFrom(...all), decoration, decoration, ({ word, action }, before, behind) => {
      expect(matchKeyword(before + word + behind)).toBe(action);
    }),
  );
});

describe.each(keywordLanguages)('the replies in %s', (language) => {
  test('fit into one segment, name the brand and keep what they say of it', () => {
    const brand = 'B'.repeat(BRAND_CHARACTERS_MAX);
    for (const action of actions) {
      const reply = keywordReply(action, language, brand);
      expect({ reply, ...countSegments(reply) }).toMatchObject({ segments: 1 });
      expect(reply.split(brand)).toHaveLength(2);
      expect(reply).not.toMatch(/[{}]/u);
      expect(keywordReply(action, language, '$& Co')).toContain('$& Co');
    }
  });

  test('say how to go back, in words that are obeyed', () => {
    expect(keywordReply('stop', language, 'X')).toContain('START');
    expect(keywordReply('start', language, 'X')).toContain('STOP');
    expect(keywordReply('help', language, 'X')).toMatch(/STOP.*START|START.*STOP/u);
    for (const action of actions) {
      const said = keywordReply(action, language, '').match(/\b[A-ZÄÆØ]{4,}\b/gu) ?? [];
      for (const word of said) expect([word, matchKeyword(word, [language])]).not.toEqual([word, null]);
      // A reply that came back to us would not set off another one.
      expect(matchKeyword(keywordReply(action, language, 'X'))).toBeNull();
    }
  });
});
