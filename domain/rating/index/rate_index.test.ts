import fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseCurrency, type Currency } from '../../money/currency.ts';
import { parseE164, type E164 } from '../../numbers/e164.ts';
import type { RateDeck, RateRow } from '../rate_deck.ts';
import { buildIndex, RateIndexBuilder } from './build_index.ts';
import { CopyRows } from './copy_rows.ts';

function euro(): Currency {
  const currency = parseCurrency('EUR');
  if (!currency) throw new Error('EUR should be a currency.');
  return currency;
}

/** Deck 0 sells, deck n buys from carrier n. */
function deck(id: number): RateDeck {
  const rest = { id, name: id === 0 ? 'retail' : `carrier-${id}`, version: 7, currency: euro() };
  return id === 0 ? { ...rest, side: 'sell', carrier_id: null } : { ...rest, side: 'buy', carrier_id: id };
}

function row(prefix: string, fields: Partial<RateRow> = {}): RateRow {
  return {
    prefix,
    destination: `to ${prefix}`,
    rate_micros_per_minute: BigInt(prefix),
    connect_fee_micros: 0n,
    minimum_seconds: 0,
    initial_increment_seconds: 1,
    subsequent_increment_seconds: 1,
    grace_seconds: 0,
    free_seconds: 0,
    effective_from_ms: 0,
    effective_to_ms: null,
    ...fields,
  };
}

function number(digits: string): E164 {
  const parsed = parseE164(`+${digits}`);
  if (!parsed) throw new Error(`${digits} should be a number.`);
  return parsed;
}

/** Few different digits, so that prefixes often lie within each other. */
const digits = (minLength: number, maxLength: number): fc.Arbitrary<string> =>
  fc
    .array(fc.constantFrom('1', '2', '0'), { minLength: minLength - 1, maxLength: maxLength - 1 })
    .map((rest) => `1${rest.join('')}`);
const prefixes = fc.uniqueArray(digits(1, 15), { maxLength: 60 });

function longest(of: readonly string[], digits_dialled: string): string | undefined {
  return of.filter((prefix) => digits_dialled.startsWith(prefix)).sort((a, b) => b.length - a.length)[0];
}

test('every deck is searched for its own longest prefix', () => {
  fc.assert(
    fc.property(fc.array(prefixes, { minLength: 1, maxLength: 5 }), fc.array(digits(4, 15)), (decks, dialled) => {
      const index = buildIndex(
        decks.map((of, id) => ({ deck: deck(id), rows: of.map((prefix) => row(prefix)) })),
        1,
      );
      for (const one of dialled) {
        expect(index.lookupSell(number(one), 'retail')?.prefix).toBe(longest(decks[0] ?? [], one));
        const bought = new Map(index.lookupBuy(number(one)).map((ref) => [ref.carrier_id, ref.prefix]));
        for (const [id, of] of decks.entries()) if (id > 0) expect(bought.get(id)).toBe(longest(of, one));
      }
    }),
    { numRuns: 500 },
  );
});

test('a rate comes back as it went in, with its deck', () => {
  const rows = [
    row('44', {
      rate_micros_per_minute: 9_007_199_254_740_993n,
      connect_fee_micros: 5n,
      destination: 'Großbritannien',
    }),
    row('4479', { rate_micros_per_minute: 2n ** 62n, minimum_seconds: 3, initial_increment_seconds: 60 }),
    row('1', { subsequent_increment_seconds: 6, grace_seconds: 2, free_seconds: 9, destination: 'tab\tand\\slash\n' }),
  ];
  const index = buildIndex([{ deck: deck(0), rows }], 1);
  for (const expected of rows) {
    const { prefix, destination, effective_from_ms, effective_to_ms, ...rate } = expected;
    expect([effective_from_ms, effective_to_ms]).toEqual([0, null]);
    expect(index.lookupSell(number(`${prefix}00000000`), 'retail')).toEqual({
      deck: deck(0),
      prefix,
      destination,
      rate,
    });
  }
  expect(index.lookupSell(number('3312345678'), 'retail')).toBeNull();
  expect(index.lookupSell(number('4412345678'), 'another')).toBeNull();
});

test('an index holds the rows of its instant and knows the next change', () => {
  const rows = [
    row('44', { effective_to_ms: 100 }),
    row('44', { effective_from_ms: 100, effective_to_ms: 200, destination: 'later' }),
    row('45', { effective_from_ms: 150 }),
  ];
  const at = (at_ms: number): unknown[] => {
    const index = buildIndex([{ deck: deck(0), rows }], at_ms);
    return [index.lookupSell(number('4412345'), 'retail')?.destination, index.next_change_at_ms];
  };
  expect([at(99), at(100), at(199), at(200)]).toEqual([
    ['to 44', 100],
    ['later', 150],
    ['later', 200],
    [undefined, null],
  ]);
});

test('two rates for one prefix at one instant are refused, as is a prefix that is none', () => {
  expect(() => buildIndex([{ deck: deck(0), rows: [row('44'), row('44')] }], 1)).toThrow(/two rates/);
  expect(() => buildIndex([{ deck: deck(0), rows: [row('1', { prefix: '4a' })] }], 1)).toThrow(/digits/);
  expect(() => buildIndex([{ deck: deck(0), rows: [row('1', { prefix: '' })] }], 1)).toThrow(/empty/);
});

test('the text of COPY, cut anywhere, gives the index that the rows give', () => {
  const destination = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 8 });
  const arbitraryRow = fc.record({ destination, rate: fc.bigInt({ min: 0n, max: 2n ** 63n - 1n }), fee: fc.nat(3) });
  fc.assert(
    fc.property(prefixes, fc.infiniteStream(arbitraryRow), fc.integer({ min: 1, max: 40 }), (of, fields, cut) => {
      const rows = [...fields.take(of.length)].map(({ destination: name, rate, fee }, at) =>
        row(of[at] ?? '1', { destination: name, rate_micros_per_minute: rate, connect_fee_micros: BigInt(fee) }),
      );
      const builder = new RateIndexBuilder(1);
      const reader = new CopyRows(builder, new Map([[42, builder.addDeck(deck(0))]]));
      const bytes = Buffer.from(rows.map((one) => copyLine(42, one)).join(''));
      for (let at = 0; at < bytes.length; at += cut) reader.feed(Buffer.from(bytes.subarray(at, at + cut)));
      reader.end();
      const read = builder.build();
      const built = buildIndex([{ deck: deck(0), rows }], 1);
      for (const prefix of of) {
        const dialled = number(prefix.padEnd(15, '9'));
        expect(read.lookupSell(dialled, 'retail')).toEqual(built.lookupSell(dialled, 'retail'));
      }
    }),
    { numRuns: 200 },
  );
});

test('a stream that ends within a row is noticed', () => {
  const builder = new RateIndexBuilder(1);
  const reader = new CopyRows(builder, new Map([[42, builder.addDeck(deck(0))]]));
  reader.feed(Buffer.from(copyLine(42, row('44')).slice(0, -1)));
  expect(() => reader.end()).toThrow(/middle of a row/);
});

function copyLine(deck_id: number, one: RateRow): string {
  const escapes: Record<string, string> = {
    '\\': '\\\\',
    '\t': '\\t',
    '\n': '\\n',
    '\r': '\\r',
    '\b': '\\b',
    '\f': '\\f',
    '\v': '\\v',
  };
  const { minimum_seconds, initial_increment_seconds, subsequent_increment_seconds, grace_seconds, free_seconds } = one;
  const seconds = [
    minimum_seconds,
    initial_increment_seconds,
    subsequent_increment_seconds,
    grace_seconds,
    free_seconds,
  ];
  const destination = one.destination.replaceAll(/[\\\t\n\r\b\f\v]/g, (letter) => escapes[letter] ?? letter);
  return `${[deck_id, one.prefix, one.rate_micros_per_minute, one.connect_fee_micros, ...seconds, destination].join('\t')}\n`;
}
