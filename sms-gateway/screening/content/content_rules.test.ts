import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ContentRule } from '../../../domain/texts/screening/screening_rows.ts';
import { ContentRules } from './content_rules.ts';
import { foldText } from './fold_text.ts';
import { looksLikeCode, mayHoldCode } from './login_code.ts';
import { readableBody } from './readable_body.ts';
import { tokensOf } from './tokens.ts';

let ids = 0;

function rule(kind: ContentRule['kind'], pattern: string, more: Partial<ContentRule> = {}): ContentRule {
  ids += 1;
  return { id: ids, country: null, kind, pattern, action: 'hold', reason: 'because', ...more };
}

const read = (text: string) => ({ folded: foldText(text), tokens: tokensOf(foldText(text)) });
const finds = (kind: ContentRule['kind'], pattern: string, text: string): boolean =>
  new ContentRules([rule(kind, pattern)]).ofText(read(text), null) !== null;

describe('folding', () => {
  it.each([
    ['CASINO', 'casino'],
    ['ｃａｓｉｎｏ', 'casino'],
    ['с\u0430s\u0456n\u043e', 'casino'],
    ['СΑЅΙΝΟ', 'casino'],
    ['ca\u200bsi\u00adn\u2060o\ufe0f', 'casino'],
    ['c\u0336a\u0336s\u0336i\u0336n\u0336o', 'casino'],
    ['𝓬𝓪𝓼𝓲𝓷𝓸', 'casino'],
    ['İSTANBUL', 'istanbul'],
    ['GROẞ groß', 'gross gross'],
  ])('reads %s as %s', (text, folded) => {
    expect(foldText(text)).toBe(folded);
  });

  it('keeps accents, however they are written, for año is not ano', () => {
    expect(foldText('AÑO')).toBe('año');
    expect(foldText('an\u0303o')).toBe('año');
    expect(foldText('ano')).not.toBe(foldText('año'));
  });

  it('changes nothing that it has folded, and makes nothing of the case', () => {
    const letters = fc.constantFrom(...'aZzéñßÄсСаАнНкКяЯαΑνΝηΗσςΣЁё中あกİı0 .-。'.split(''));
    fc.assert(
      fc.property(fc.array(letters, { maxLength: 40 }), (characters) => {
        const folded = foldText(characters.join(''));
        expect(foldText(folded)).toBe(folded);
        expect(foldText(characters.join('').toUpperCase())).toBe(folded.replaceAll('ı', 'i'));
      }),
    );
  });
});

describe('rules of words', () => {
  it('find a word wherever it stands, and no other word that holds it', () => {
    expect(finds('word', 'Casino', 'The best CASINO, in town')).toBe(true);
    expect(finds('word', 'casino', 'сasin\u043e')).toBe(true);
    expect(finds('word', 'казино', 'Лучшее КАЗИНО')).toBe(true);
    expect(finds('word', 'casino', 'casinos are not meant')).toBe(false);
    expect(finds('word', 'win', 'winter comes')).toBe(false);
  });

  it('find words in a row, whatever stands between them but other words', () => {
    expect(finds('word', 'cheap loan', 'a CHEAP — loan!')).toBe(true);
    expect(finds('word', 'cheap loan', 'a cheap car loan')).toBe(false);
    expect(finds('word', 'cheap loan', 'is it cheap')).toBe(false);
  });

  it('find words of scripts without spaces', () => {
    expect(finds('word', '赌场', '欢迎来到赌场。')).toBe(true);
    expect(finds('word', '赌场', '赌在场')).toBe(false);
    expect(finds('word', 'คาสิโน', 'เล่นคาสิโนที่นี่')).toBe(true);
  });

  it('find each of many words in a text that has it, and none in a text that has none', () => {
    const word = fc.stringMatching(/^[a-z]{3,8}$/u);
    fc.assert(
      fc.property(
        fc.uniqueArray(word, { minLength: 2, maxLength: 60 }),
        fc.array(word, { maxLength: 20 }),
        (sought, others) => {
          const rules = new ContentRules(sought.map((one) => rule('word', one)));
          const harmless = others.filter((one) => !sought.includes(one));
          expect(rules.ofText(read(harmless.join(' ')), null)).toBeNull();
          for (const one of sought) {
            expect(rules.ofText(read([...harmless, one.toUpperCase()].join(' ')), null)?.pattern).toBe(one);
          }
        },
      ),
      { numRuns: 30 },
    );
  });
});

describe('rules of links', () => {
  it.each([
    ['bit.ly', 'go to https://bit.ly/3xY', true],
    ['bit.ly', 'go to www.BIT.LY/3xY', true],
    ['bit.ly', 'go to bit。ly/3xY', true],
    ['bit.ly', 'go to b\u0456t.ly/3xY', true],
    ['bit.ly', 'go to rabbit.ly/x', false],
    ['bit.ly', 'go to bit.ly.example.com/x', false],
    ['https://evil.example/path', 'see login.evil.example', true],
    ['evil.example', 'http://paypal.com@evil.example/x', true],
    ['xn--80ak6aa92e.com', 'xn--80ak6aa92e.com', true],
    ['192.0.2.7', 'http://192.0.2.7/x', true],
    ['*', 'http://3232235521/', true],
    ['*', 'call me at t.co/abc', true],
    ['*', 'shop.example.com', true],
    ['*', 'We are here.Where are you?', false],
    ['*', 'It costs 12.50, and version 1.2.3 is out...', false],
    ['*', 'write to joe@example.com', false],
    ['*', 'no link at all', false],
  ])('of %s read “%s”: %s', (pattern, text, is_found) => {
    expect(finds('link', pattern, text)).toBe(is_found);
  });
});

describe('rules of senders', () => {
  it.each(['PayPal', 'PAYPAL', 'Pay Pal', 'PayPa1', 'PAYPAI', 'pay-pal'])('take %s for PayPal', (sender) => {
    expect(new ContentRules([rule('sender', 'PayPal')]).ofSender(sender, null)).not.toBeNull();
  });

  it('take a number for itself alone', () => {
    const rules = new ContentRules([rule('sender', '12345')]);
    expect(rules.ofSender('12345', null)).not.toBeNull();
    expect(rules.ofSender('l2E45', null)).toBeNull();
    expect(rules.ofSender('+441632960123', null)).toBeNull();
  });
});

describe('rules', () => {
  it('hold in their country alone, and those of no country everywhere', () => {
    const rules = new ContentRules([rule('word', 'vote', { country: 'GB' }), rule('word', 'casino')]);
    expect(rules.ofText(read('vote'), 'GB')).not.toBeNull();
    expect(rules.ofText(read('vote'), 'DE')).toBeNull();
    expect(rules.ofText(read('vote'), null)).toBeNull();
    expect(rules.ofText(read('casino'), 'DE')).not.toBeNull();
    expect([
      rules.readsTexts('DE'),
      new ContentRules([rule('word', 'vote', { country: 'GB' })]).readsTexts('DE'),
    ]).toEqual([true, false]);
  });

  it('refuse before they hold', () => {
    const rules = new ContentRules([rule('word', 'a'), rule('word', 'b', { action: 'refuse' }), rule('word', 'c')]);
    expect(rules.ofText(read('a b c'), null)?.pattern).toBe('b');
    expect(rules.ofText(read('c a'), null)?.pattern).toBe('a');
  });

  it('name those that can never be found', () => {
    const rules = new ContentRules([
      rule('word', '—!'),
      rule('link', 'no host'),
      rule('sender', '--'),
      rule('word', 'x'),
    ]);
    expect(rules.unusable.map(({ pattern }) => pattern)).toEqual(['—!', 'no host', '--']);
  });
});

describe('what a text says', () => {
  it('is read out of octets that a customer split himself', () => {
    const body = `00u050003070201${Buffer.from('casino').toString('hex')}`;
    expect(readableBody({ body, encoding: 'binary' })).toBe('casino');
    expect(readableBody({ body: '04-00ff', encoding: 'binary' })).toBe('');
  });

  it.each([
    ['Your code is 123456', true],
    ['G-123456 is your Google verification code', true],
    ['Ваш код: 1234', true],
    ['您的验证码是 482913', true],
    ['Code 123-456. Do not share it', true],
    ['Your table for 4 is ready at 19:30', false],
    ['Invoice 4711-0815 is due', false],
    ['The code of conduct applies', false],
    ['Call 441632960123 for a code', false],
  ])('“%s” looks like a login code: %s', (text, is_code) => {
    expect(mayHoldCode(text) && looksLikeCode(tokensOf(foldText(text)))).toBe(is_code);
  });
});
