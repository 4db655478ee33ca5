import fc from 'fast-check';
import { expect, test } from 'vitest';
import { centsDigits, parseCurrency, type Currency } from './currency.ts';
import { formatMoney } from './format_money.ts';
import { ceilDiv, MICROS_MAX } from './micros.ts';
import { parseMicros } from './parse_micros.ts';

function currency(code: string): Currency {
  const parsed = parseCurrency(code);
  if (!parsed) throw new Error(`${code} should be a currency.`);
  return parsed;
}

test.each([
  ['0', 0n],
  ['0.0125', 12_500n],
  ['12', 12_000_000n],
  ['0.000001', 1n],
  ['1.50000000', 1_500_000n],
  ['-3.25', -3_250_000n],
  ['9223372036854.775807', MICROS_MAX],
])('%s is read exactly', (text, micros) => {
  expect(parseMicros(text)).toEqual({ kind: 'micros', micros });
});

test.each([
  ['', 'not_a_decimal'],
  ['1,5', 'not_a_decimal'],
  ['.5', 'not_a_decimal'],
  ['1e3', 'not_a_decimal'],
  ['0x10', 'not_a_decimal'],
  [' 1', 'not_a_decimal'],
  ['1.', 'not_a_decimal'],
  ['٣', 'not_a_decimal'],
  ['NaN', 'not_a_decimal'],
  ['0.0000001', 'too_precise'],
  ['9223372036854.775808', 'too_large'],
])('%s is refused as %s', (text, reason) => {
  expect(parseMicros(text)).toEqual({ kind: 'invalid', reason });
});

test('what is written for people reads back as the same amount', () => {
  const amounts = fc.bigInt({ min: -MICROS_MAX, max: MICROS_MAX });
  fc.assert(
    fc.property(amounts, fc.constantFrom('EUR', 'JPY', 'KWD'), (amount, code) => {
      const [decimal = ''] = formatMoney(amount, currency(code)).split(' ');
      expect(parseMicros(decimal)).toEqual({ kind: 'micros', micros: amount });
    }),
  );
});

test.each([
  [12_500_000n, 'EUR', '12.50 EUR'],
  [-12_500n, 'EUR', '-0.0125 EUR'],
  [300_000_000n, 'JPY', '300 JPY'],
  [500_000n, 'JPY', '0.5 JPY'],
  [1_000_000n, 'KWD', '1.000 KWD'],
  [0n, 'USD', '0.00 USD'],
])('%s micros of %s are written %s', (amount, code, text) => {
  expect(formatMoney(amount, currency(code))).toBe(text);
});

test('a currency is an ISO 4217 code with its cents', () => {
  expect(['EUR', 'JPY', 'KWD'].map((code) => centsDigits(currency(code)))).toEqual([2, 0, 3]);
  expect(['eur', 'EURO', 'XXX', '', 'DEM'].map(parseCurrency)).toEqual([null, null, null, null, null]);
});

test('ceilDiv rounds towards positive infinity', () => {
  expect([ceilDiv(0n, 60n), ceilDiv(1n, 60n), ceilDiv(60n, 60n), ceilDiv(61n, 60n), ceilDiv(-1n, 60n)]).toEqual([
    0n,
    1n,
    1n,
    2n,
    0n,
  ]);
});
