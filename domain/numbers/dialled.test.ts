import fc from 'fast-check';
import { parsePhoneNumberFromString } from 'libphonenumber-js/max';
import { expect, test } from 'vitest';
import { formatNumber, numberType } from './describe_number.ts';
import { emergencyCode, parseDialled } from './dialled.ts';
import { parseE164, type E164 } from './e164.ts';

function number(text: string): E164 {
  const parsed = parseE164(text);
  if (!parsed) throw new Error(`${text} should be a number.`);
  return parsed;
}

const LONDON = { kind: 'e164', number: '+442079460000', country: 'GB' };

test.each([
  ['+442079460000', 'US'],
  ['+44 (0)20 7946-0000', 'DE'],
  ['0044 20 7946 0000', 'DE'],
  ['011 44 20 7946 0000', 'US'],
  ['010442079460000', 'JP'],
  ['0011442079460000', 'AU'],
  ['810442079460000', 'RU'],
  ['0014442079460000', 'BR'],
  ['0044 2079460000', 'BR'],
  ['020 7946 0000', 'GB'],
  ['tel:+44-20-7946-0000;ext=12', 'US'],
  ['tel:020-7946-0000;phone-context=+44', 'US'],
  ['sip:%2B442079460000@example.com;user=phone', 'US'],
  ['SIPS:+442079460000@example.com', 'US'],
  ['+٤٤٢٠٧٩٤٦٠٠٠٠', 'GB'],
  ['＋４４２０７９４６００００', 'GB'],
  [' +44\u00a020\u20117946.0000 ', 'GB'],
])('%s dialled in %s is a number in London', (dialled, home) => {
  expect(parseDialled(dialled, home)).toEqual(LONDON);
});

test('a prefix that goes on does not swallow the calling code', () => {
  expect(parseDialled('0016502530000', 'HK')).toMatchObject({ number: '+16502530000' });
  expect(parseDialled('00442079460000', 'HK')).toEqual(LONDON);
});

test('a leading 0 stays where it is part of the number', () => {
  expect(parseDialled('06 1234567', 'IT')).toMatchObject({ number: '+39061234567', country: 'IT' });
  expect(parseDialled('+39 06 1234567', 'US')).toMatchObject({ number: '+39061234567', country: 'IT' });
});

test('a number of no country has none', () => {
  expect(parseDialled('+80012345678', 'GB')).toEqual({ kind: 'e164', number: '+80012345678', country: null });
});

test.each([
  ['112', 'US', '112'],
  ['911', 'DE', '911'],
  ['9-1-1', 'US', '911'],
  ['999', 'GB', '999'],
  ['000', 'AU', '000'],
  ['18', 'FR', '18'],
  ['tel:112', 'FR', '112'],
  ['sip:911@example.com', 'US', '911'],
  ['urn:service:sos', 'US', '112'],
  ['urn:service:sos.fire', 'GB', '112'],
  ['sos', 'GB', '112'],
  ['SIP:sos@example.com;user=phone', 'US', '112'],
  ['112', 'nowhere', '112'],
])('%s dialled in %s is a call for help', (dialled, home, code) => {
  expect(parseDialled(dialled, home)).toEqual({ kind: 'emergency', code });
  expect(emergencyCode(dialled, home)).toBe(code);
});

test.each([
  ['+44 112', 'GB'],
  ['999', 'US'],
  ['1120', 'DE'],
  ['*112', 'DE'],
  ['', 'DE'],
])('%s dialled in %s is none', (dialled, home) => {
  expect(emergencyCode(dialled, home)).toBeNull();
});

test.each([
  ['', 'GB', 'empty'],
  ['+', 'GB', 'empty'],
  ['  ', 'GB', 'empty'],
  ['*98', 'GB', 'not_a_number'],
  ['alice', 'GB', 'not_a_number'],
  ['sossy', 'GB', 'not_a_number'],
  ['+44+20', 'GB', 'not_a_number'],
  ['44,2079', 'GB', 'not_a_number'],
  ['1'.repeat(23), 'GB', 'too_long'],
  ['1'.repeat(100_000), 'GB', 'too_long'],
  ['999', 'US', 'short_code'],
  ['123', 'GB', 'short_code'],
  ['5551234', 'US', 'impossible'],
  ['+999', 'GB', 'impossible'],
  ['+210000000000', 'GB', 'impossible'],
  ['+44207946000000', 'GB', 'impossible'],
  ['2079460000', 'XX', 'unknown_country'],
])('%s dialled in %s is refused as %s', (dialled, home, reason) => {
  expect(parseDialled(dialled.slice(0, 100_000), home)).toEqual({ kind: 'invalid', reason });
});

test('the table gives what libphonenumber gives', () => {
  const some = fc.tuple(
    fc.constantFrom('49', '33', '852', '353', '65', '1', '7', '44', '39'),
    fc.stringMatching(/^\d{4,11}$/),
  );
  fc.assert(
    fc.property(some, ([code, rest]) => {
      const slow = parsePhoneNumberFromString(`+${code}${rest}`, { extract: false });
      const expected = slow?.isPossible() ? slow.number : null;
      const dialled = parseDialled(`+${code}${rest}`, 'US');
      expect(dialled.kind === 'e164' ? dialled.number : null).toBe(expected);
    }),
    { numRuns: 3_000 },
  );
});

test('whatever is dialled is answered, and a number is E.164', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary', maxLength: 60 }), fc.constantFrom('US', 'BR', 'XX', ''), (text, home) => {
      const dialled = parseDialled(text, home);
      if (dialled.kind === 'e164') expect(parseE164(dialled.number)).toBe(dialled.number);
    }),
    { numRuns: 5_000 },
  );
});

test('a number is E.164 in that very shape only', () => {
  expect(['+442079460000', '+1234'].map(parseE164)).toEqual(['+442079460000', '+1234']);
  expect(['442079460000', '+0442079', '+123', '+1234567890123456', '+44 20', '+44\n', ''].map(parseE164)).toEqual(
    new Array(7).fill(null),
  );
});

test('a number is described for people', () => {
  expect(formatNumber(number('+442079460000'))).toBe('+44 20 7946 0000');
  expect(formatNumber(number('+9991234567'))).toBe('+9991234567');
  expect(
    ['+19002530000', '+447911123456', '+442079460000', '+448001111111', '+9991234567'].map((text) =>
      numberType(number(text)),
    ),
  ).toEqual(['premium', 'mobile', 'fixed', 'toll_free', 'other']);
});
