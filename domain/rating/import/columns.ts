import { MICROS_PER_UNIT } from '../../money/micros.ts';
import { parseMicros } from '../../money/parse_micros.ts';

/** A value of a column, or what is wrong with it and what is allowed. */
export type Parsed<T> = { kind: 'value'; value: T } | { kind: 'wrong'; wrong: string; allowed: string };

export type Column<T> = {
  /** As it stands in the header row. */
  readonly name: string;
  readonly parse: (text: string) => Parsed<T>;
  /** The column must be there and filled; `otherwise` then only stands in for a value in a row that is refused. */
  readonly required: boolean;
  /** What an empty field means. */
  readonly otherwise: T;
};

/** Far above any price of a minute or a segment; and the price of the longest call stays far below what a bigint holds. */
const PRICE_UNITS_MAX = 1_000_000n;
const SECONDS_MAX = 86_400;
const DESTINATION_LENGTH_MAX = 200;

/** The columns that every rate file has. Instants are dates in UTC; everything else is as in a rate. */
export const PREFIX = required('prefix', parsePrefix, '');
export const DESTINATION = required('destination', parseDestination, '');
export const EFFECTIVE_FROM = optional('effective_from', parseInstant, Number.NEGATIVE_INFINITY);
export const EFFECTIVE_TO = optional<number | null>('effective_to', parseInstant, null);

export function required<T>(name: string, parse: (text: string) => Parsed<T>, otherwise: T): Column<T> {
  return { name, parse, required: true, otherwise };
}

export function optional<T>(name: string, parse: (text: string) => Parsed<T>, otherwise: T): Column<T> {
  return { name, parse, required: false, otherwise };
}

function parsePrefix(text: string): Parsed<string> {
  const prefix = text.startsWith('+') ? text.slice(1) : text;
  if (/^[1-9]\d{0,14}$/.test(prefix)) return { kind: 'value', value: prefix };
  return wrong('is not the beginning of an international number.', '1 to 15 digits, the first not 0, such as 4420.');
}

function parseDestination(text: string): Parsed<string> {
  const readable = text.length > 0 && text.length <= DESTINATION_LENGTH_MAX && !/\p{Cc}/u.test(text);
  if (readable) return { kind: 'value', value: text };
  return wrong(
    'is not the name of a destination.',
    `1 to ${DESTINATION_LENGTH_MAX} characters without control characters.`,
  );
}

/** A decimal in units of the deck's currency, as micros. */
export function parsePrice(text: string): Parsed<bigint> {
  const allowed = 'a decimal with a point and at most 6 decimals, 0 or more and at most 1000000, such as 0.0125.';
  const parsed = parseMicros(text);
  if (parsed.kind === 'invalid') {
    const precise = parsed.reason === 'too_precise';
    return wrong(precise ? 'has more decimals than can be charged.' : 'is not a price.', allowed);
  }
  if (parsed.micros < 0n || parsed.micros > PRICE_UNITS_MAX * MICROS_PER_UNIT)
    return wrong('is out of range.', allowed);
  return { kind: 'value', value: parsed.micros };
}

export function parseSeconds(text: string, least: number): Parsed<number> {
  const value = /^\d{1,5}$/.test(text) ? Number(text) : -1;
  if (value >= least && value <= SECONDS_MAX) return { kind: 'value', value };
  return wrong('is not a number of seconds.', `a whole number from ${least} to ${SECONDS_MAX}.`);
}

function parseInstant(text: string): Parsed<number> {
  const day = /^(\d{4}-\d{2}-\d{2})(T\d{2}:\d{2}:\d{2}(?:Z|[+-]\d{2}:\d{2}))?$/.exec(text)?.[1];
  const instant_ms = day === undefined ? Number.NaN : Date.parse(text);
  // Date.parse takes the 30th of February for the 1st of March, so the day must come back as it was written.
  const midnight_ms = Date.parse(`${day ?? ''}T00:00:00Z`);
  const exists = !Number.isNaN(midnight_ms) && new Date(midnight_ms).toISOString().startsWith(day ?? '-');
  if (exists && !Number.isNaN(instant_ms)) return { kind: 'value', value: instant_ms };
  return wrong(
    'is not a date.',
    'a day (2026-01-31, from 00:00 UTC) or an instant with its zone (2026-01-31T12:00:00Z).',
  );
}

function wrong(what: string, allowed: string): { kind: 'wrong'; wrong: string; allowed: string } {
  return { kind: 'wrong', wrong: what, allowed };
}
