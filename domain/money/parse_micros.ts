import { MICROS_MAX, MICROS_PER_UNIT, type Micros } from './micros.ts';

const FRACTION_DIGITS = 6;
const DECIMAL = /^(-?)(\d{1,19})(?:\.(\d+))?$/;

export type ParsedMicros =
  { kind: 'micros'; micros: Micros } | { kind: 'invalid'; reason: 'not_a_decimal' | 'too_precise' | 'too_large' };

/**
 * Reads a decimal such as `0.0125` as micros, digit by digit: no float ever sees it. A point is the only separator,
 * because a comma means thousands to one carrier and decimals to the next. More than six decimals that are not
 * zero are refused instead of rounded: the price on file must be the price that is charged.
 */
export function parseMicros(text: string): ParsedMicros {
  const match = DECIMAL.exec(text);
  if (!match) return { kind: 'invalid', reason: 'not_a_decimal' };
  const [, sign = '', whole = '', fraction = ''] = match;
  const significant = fraction.replace(/0+$/, '');
  if (significant.length > FRACTION_DIGITS) return { kind: 'invalid', reason: 'too_precise' };
  const micros = BigInt(whole) * MICROS_PER_UNIT + BigInt(significant.padEnd(FRACTION_DIGITS, '0'));
  if (micros > MICROS_MAX) return { kind: 'invalid', reason: 'too_large' };
  return { kind: 'micros', micros: sign ? -micros : micros };
}
