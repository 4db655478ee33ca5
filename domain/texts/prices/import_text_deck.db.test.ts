import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { importDeck } from '../../rating/import/import_deck.ts';
import type { DeckFile, Imported } from '../../rating/import/import_deck.ts';
import { formatProblem } from '../../rating/import/problem.ts';
import { buyFile, deckNameOf, deckStage, inPieces, number, sellFile } from '../../rating/import/testing/deck_stage.ts';
import type { DeckStage } from '../../rating/import/testing/deck_stage.ts';
import { loadIndex } from '../../rating/index/load_index.ts';
import { importTextDeck } from './import_text_deck.ts';
import { loadTextPrices } from './text_prices.ts';

const HEADER = 'prefix,destination,rate_per_segment';

let stage: DeckStage;
let pool: pg.Pool;

beforeAll(async () => {
  stage = await deckStage();
  ({ pool } = stage);
});

afterAll(() => stage.end());

let deck_name = '';
beforeEach(({ task }) => {
  deck_name = deckNameOf(task);
});

function importText(text: string | Buffer, file: DeckFile = sellFile(deck_name)): Promise<Imported> {
  return importTextDeck(pool, file, inPieces(text));
}

/** The problems as whoever wrote the file reads them. */
async function refused(text: string | Buffer, file: DeckFile = sellFile(deck_name)): Promise<string[]> {
  const result = await importText(text, file);
  if (result.kind !== 'refused') throw new Error(`It was ${result.kind}.`);
  expect(result.problem_count).toBe(result.problems.length);
  return result.problems.map(formatProblem);
}

async function rows(sql: string, values: unknown[] = []): Promise<unknown[]> {
  return (await pool.query<Record<string, unknown>>(sql, values)).rows;
}

const versions = (name = deck_name): Promise<unknown[]> =>
  rows('select version, state, service from rate_deck where name = $1 order by version', [name]);

const inForce = (): Promise<unknown[]> =>
  rows(
    `select r.prefix, r.destination, r.rate_micros_per_segment::text as micros, r.effective_from::text as from, r.effective_to::text as to
       from text_rate r join rate_deck d on d.id = r.deck_id where d.name = $1 and d.state = 'active' order by r.prefix, r.effective_from`,
    [deck_name],
  );

describe('a file of text prices', () => {
  it('becomes rates to the micro, and the next file replaces it as a whole', async () => {
    const first = await importText(
      `\uFEFFprefix,Destination,rate_per_segment,effective_from,effective_to\r\n` +
        `44,"United Kingdom, ""proper""",0.038001,,\r\n\r\n+4479,Großbritannien mobil,0.2,2020-01-31,2030-01-01T12:00:00+01:00\r\n` +
        `4479,Großbritannien mobil,1000000,2030-01-01T11:00:00Z,\r\n`,
    );
    expect(first).toMatchObject({ kind: 'imported', version: 1, rows: 3 });
    expect(await inForce()).toEqual([
      { prefix: '44', destination: 'United Kingdom, "proper"', micros: '38001', from: '-infinity', to: null },
      {
        ...{ prefix: '4479', destination: 'Großbritannien mobil', micros: '200000' },
        ...{ from: '2020-01-31 00:00:00+00', to: '2030-01-01 11:00:00+00' },
      },
      {
        ...{ prefix: '4479', destination: 'Großbritannien mobil', micros: '1000000000000' },
        ...{ from: '2030-01-01 11:00:00+00', to: null },
      },
    ]);
    const prices = await loadTextPrices(pool, Date.parse('2026-01-15T00:00:00Z'));
    expect(prices.sell(number('+447911123456'), deck_name)).toMatchObject({
      ...{ prefix: '4479', rate_micros_per_segment: 200_000n, deck: { name: deck_name, version: 1 } },
    });
    expect(prices.next_change_at_ms).toBe(Date.parse('2030-01-01T11:00:00Z'));

    expect(await importText(`${HEADER}\n44,United Kingdom,0.01\n`)).toMatchObject({ kind: 'imported', version: 2 });
    const renewed = (await loadTextPrices(pool, Date.now())).sell(number('+447911123456'), deck_name);
    expect(renewed).toMatchObject({ prefix: '44', rate_micros_per_segment: 10_000n, deck: { version: 2 } });
    expect(await versions()).toEqual([
      { version: 1, state: 'retired', service: 'texts' },
      { version: 2, state: 'active', service: 'texts' },
    ]);
  });

  it('changes nothing when it is the same again, and is a version of its own after another', async () => {
    const text = `${HEADER}\n44,United Kingdom,0.01\n`;
    expect(await importText(text)).toMatchObject({ kind: 'imported', version: 1 });
    expect(await importText(text)).toMatchObject({ kind: 'unchanged', version: 1 });
    expect(await importText(`${text}45,Denmark,0.02\n`)).toMatchObject({ kind: 'imported', version: 2 });
    expect(await importText(text)).toMatchObject({ kind: 'imported', version: 3 });
    expect(await versions()).toHaveLength(3);
  });

  it('may have semicolons and be in UTF-16 with its mark', async () => {
    const text = `\uFEFF${HEADER.replaceAll(',', ';')}\r\n49;Köln;0.5\r\n`;
    expect(await importText(Buffer.from(text, 'utf16le'))).toMatchObject({ kind: 'imported', rows: 1 });
    expect(await inForce()).toMatchObject([{ destination: 'Köln', micros: '500000' }]);
  });

  it('is one version where three come at once, one of them in force', async () => {
    const results = await Promise.all(['0.01', '0.02', '0.03'].map((rate) => importText(`${HEADER}\n44,UK,${rate}\n`)));
    expect(results.map((result) => result.kind === 'imported' && result.version).sort()).toEqual([1, 2, 3]);
    expect(await inForce()).toHaveLength(1);
  });

  it('wakes the services at the commit, and not where it wrote nothing', async () => {
    const listener = new pg.Client({ connectionString: stage.database_url });
    await listener.connect();
    const heard: string[] = [];
    listener.on('notification', ({ channel }) => heard.push(channel));
    await listener.query('listen rates');
    await refused(`${HEADER}\nx,UK,1\n`);
    await listener.query('select 1');
    expect(heard).toEqual([]);
    await importText(`${HEADER}\n44,UK,1\n`);
    await listener.query('select 1');
    expect(new Set(heard)).toEqual(new Set(['rates']));
    await listener.end();
  });

  it('holds the very micros that are written in it, however they are written', async () => {
    const written = fc.record({
      micros: fc.oneof(fc.bigInt(0n, 1_000_000_000_000n), fc.bigInt(0n, 2_000_000n)),
      zeros_before: fc.nat(2),
      /** More or fewer of those that say nothing. */
      zeros_behind: fc.integer({ min: -6, max: 3 }),
    });
    await fc.assert(
      fc.asyncProperty(fc.array(written, { minLength: 1, maxLength: 60 }), async (prices) => {
        const lines = prices.map((price, at) => `4${1_000 + at},x,${decimal(price)}`);
        // The same again would change nothing.
        expect((await importText(`${HEADER}\n${lines.join('\n')}`)).kind).not.toBe('refused');
        const expected = prices.map(({ micros }) => micros);
        expect((await inForce()).map((row) => BigInt((row as { micros: string }).micros))).toEqual(expected);
        const loaded = await loadTextPrices(pool, Date.now());
        const seen = prices.map((_, at) => loaded.sell(number(`+4${1_000 + at}000000`), deck_name));
        expect(seen.map((rate) => rate?.rate_micros_per_segment)).toEqual(expected);
      }),
      { numRuns: 10 },
    );
  });
});

interface WrittenPrice {
  micros: bigint;
  zeros_before: number;
  zeros_behind: number;
}

function decimal({ micros, zeros_before, zeros_behind }: WrittenPrice): string {
  const whole = '0'.repeat(zeros_before) + String(micros / 1_000_000n);
  const fraction = String(micros % 1_000_000n).padStart(6, '0') + '0'.repeat(Math.max(0, zeros_behind));
  const droppable = /0*$/u.exec(fraction)?.[0].length ?? 0;
  const kept = fraction.slice(0, fraction.length - Math.min(droppable, Math.max(0, -zeros_behind)));
  return kept === '' ? whole : `${whole}.${kept}`;
}

const PRICES = 'a decimal with a point and at most 6 decimals, 0 or more and at most 1000000, such as 0.0125.';
const DATES = 'a day (2026-01-31, from 00:00 UTC) or an instant with its zone (2026-01-31T12:00:00Z).';
const BEGINNINGS = '1 to 15 digits, the first not 0, such as 4420.';

describe('a file of text prices with something wrong in it', () => {
  it('is refused with every bad line and what would be right, and one is enough to write nothing', async () => {
    await importText(`${HEADER}\n44,United Kingdom,0.01\n`);
    const problems = await refused(
      `${HEADER},effective_from,effective_to\n` +
        '44,United Kingdom,0.01,,\n' +
        '044,,1e-2,,\n' +
        '45,Denmark,0.0000001,2026-02-30,\n' +
        '46,Sweden,0.01\n' +
        '47,Norway,0.01,2026-02-01,2026-01-01\n' +
        '48,Poland,0.01,,2026-01-01\n' +
        '48,Poland,0.02,2025-12-31,\n' +
        '+44,Twice,0.01,,\n' +
        `49,${'ä'.repeat(201)},1000000.000001,,\n`,
    );
    expect(problems).toEqual([
      `Line 3, prefix "044": is not the beginning of an international number. Allowed: ${BEGINNINGS}`,
      'Line 3, destination "": is not the name of a destination. Allowed: 1 to 200 characters without control characters.',
      `Line 3, rate_per_segment "1e-2": is not a price. Allowed: ${PRICES}`,
      `Line 4, rate_per_segment "0.0000001": has more decimals than can be charged. Allowed: ${PRICES}`,
      `Line 4, effective_from "2026-02-30": is not a date. Allowed: ${DATES}`,
      'Line 5: has 3 fields. Allowed: 5 fields, as in the header row.',
      'Line 6, effective_to "2026-01-01": is not after effective_from. Allowed: a later instant, or nothing.',
      'Line 8, prefix "48": holds at the same time as the rate on line 7. Allowed: one rate for a prefix at a time; end the earlier with effective_to.',
      'Line 9, prefix "44": is already on line 2. Allowed: one rate for a prefix at a time; end the earlier with effective_to.',
      `Line 10, destination "${'ä'.repeat(40)}…": is not the name of a destination. Allowed: 1 to 200 characters without control characters.`,
      `Line 10, rate_per_segment "1000000.000001": is out of range. Allowed: ${PRICES}`,
    ]);
    expect(await versions()).toEqual([{ version: 1, state: 'active', service: 'texts' }]);
    expect(await inForce()).toMatchObject([{ prefix: '44', micros: '10000' }]);
  });

  it.each(['', '0', '+', '4 4', '4a', '٤٤', '1234567890123456', '4.4', '-44'])(
    'may not have the prefix "%s"',
    async (prefix) => {
      const problems = await refused(`${HEADER}\n"${prefix}",UK,1\n`);
      expect(problems).toEqual([expect.stringMatching(/^Line 2, prefix .*is not the beginning/u)]);
    },
  );

  it.each(['', '0,5', '.5', '5.', '-1', '+1', '1 000', '0x10', 'NaN', 'Infinity', '£1', '١', '99999999999999999999'])(
    'may not have the price "%s"',
    async (price) => {
      const problems = await refused(`${HEADER}\n44,UK,"${price}"\n`);
      expect(problems).toEqual([expect.stringMatching(/^Line 2, rate_per_segment /u)]);
    },
  );

  const COLUMNS = 'prefix, destination, rate_per_segment, effective_from, effective_to.';
  const REQUIRED = 'prefix, destination and rate_per_segment are always there.';
  it.each<[string, string | Buffer, string[]]>([
    ['nothing', '', ['The file: It is empty. Allowed: a header row and at least one rate.']],
    ['a header alone', `${HEADER}\n`, ['The file: It has no rates. Allowed: a header row and at least one rate.']],
    [
      'prices of calls',
      'prefix,destination,rate_per_minute\n44,UK,1\n',
      [
        `Line 1, rate_per_minute "rate_per_minute": is no column of a rate file of texts. Allowed: ${COLUMNS}`,
        `Line 1, rate_per_segment "": is missing from the header row. Allowed: ${REQUIRED}`,
      ],
    ],
    [
      'a column twice',
      `${HEADER},prefix\n44,UK,1,44\n`,
      ['Line 1, prefix "prefix": is there twice. Allowed: each column once.'],
    ],
    [
      'a quote left open',
      `${HEADER}\n44,"UK,1\n45,DK,1\n`,
      ['Line 2: cannot be read as CSV: CSV_QUOTE_NOT_CLOSED. Allowed: every quote is closed in its own field.'],
    ],
    [
      'a huge line',
      `${HEADER}\n44,${'x'.repeat(50_000)},1\n`,
      [
        'Line 2: cannot be read as CSV: CSV_MAX_RECORD_SIZE. Allowed: lines of at most 10000 characters; is a quote left open?',
      ],
    ],
    [
      'another encoding',
      Buffer.from(`${HEADER}\n49,Germany K\xf6ln,1\n`, 'latin1'),
      [
        'Line 2: or a line soon after it holds bytes that are no text. Allowed: UTF-8, or UTF-16 with a byte order mark.',
        // What came before them in the line.
        'Line 2: has 2 fields. Allowed: 3 fields, as in the header row.',
      ],
    ],
  ])('is refused where it holds %s', async (_, text, problems) => {
    expect(await refused(text)).toEqual(problems);
    expect(await versions()).toEqual([]);
  });

  it('says how many bad lines there are where they are more than can be shown', async () => {
    const result = await importText(`${HEADER}\n${'x,y,z\n'.repeat(1_000)}`);
    if (result.kind !== 'refused') throw new Error(`It was ${result.kind}.`);
    expect([result.problem_count, result.problems.length]).toEqual([2_000, 200]);
  });
});

describe('decks of text prices', () => {
  it('keep their side, carrier and currency', async () => {
    expect(await importText(`${HEADER}\n44,UK,0.01\n`, buyFile(deck_name, 1))).toMatchObject({ kind: 'imported' });
    expect(await refused(`${HEADER}\n44,UK,0.02\n`, buyFile(deck_name, 2))).toEqual([
      'The file: is for a deck with another carrier_id: 1. Allowed: the same, or a deck of another name.',
    ]);
  });

  it('are one for a carrier, beside its deck of calls', async () => {
    const calls = 'prefix,destination,rate_per_minute\n44,UK,0.03\n';
    expect(await importDeck(pool, buyFile('beta-calls', 2), inPieces(calls))).toMatchObject({ kind: 'imported' });
    await importText(`${HEADER}\n44,UK,0.01\n`, buyFile('beta-texts', 2));
    expect(await importText(`${HEADER}\n44,UK,0.02\n`, buyFile('beta-texts-new', 2))).toMatchObject({ version: 1 });
    const names = await rows(`select name from rate_deck where carrier_id = 2 and state = 'active' order by name`);
    expect(names).toEqual([{ name: 'beta-calls' }, { name: 'beta-texts-new' }]);
    const bought = (await loadTextPrices(pool, Date.now())).buy(number('+447911123456'));
    expect(bought.find(({ carrier_id }) => carrier_id === 2)?.rate_micros_per_segment).toBe(20_000n);
    expect((await loadIndex(pool, Date.now())).lookupBuy(number('+447911123456'))).toMatchObject([
      { carrier_id: 2, rate: { rate_micros_per_minute: 30_000n } },
    ]);
  });

  it('under the name of a deck of calls change nothing', async () => {
    await importDeck(pool, sellFile(deck_name), inPieces('prefix,destination,rate_per_minute\n44,UK,0.03\n'));
    const problems = await refused(`${HEADER}\n44,UK,0.01\n`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain('is under the name of a deck of calls.');
    expect(await versions()).toEqual([{ version: 1, state: 'active', service: 'calls' }]);
  });
});

// At the end, so that no test before it loads so many prices.
describe('a huge file of text prices', () => {
  it('is written while it is read, and a bad line at its end still takes all of it back', async () => {
    const COUNT = 20_000;
    const lineOf = (n: number): string => `${100_000 + n},destination ${n},0.${String(n).padStart(6, '0')}\n`;
    const being_written: unknown[] = [];
    const file = async function* (last: string): AsyncGenerator<Uint8Array> {
      yield Buffer.from(`${HEADER}\n`);
      for (let n = 0; n < COUNT; n += 100) {
        yield Buffer.from(Array.from({ length: 100 }, (_, at) => lineOf(n + at)).join(''));
      }
      // Who writes to a table has a lock on it until the commit.
      const [lock] = await rows(
        `select count(*)::int as count from pg_locks where relation = 'text_rate'::regclass and mode = 'RowExclusiveLock' and pid <> pg_backend_pid()`,
      );
      being_written.push(lock);
      yield Buffer.from(last);
    };
    const result = await importTextDeck(pool, sellFile(deck_name), file('1,bad,free\n'));
    expect(result).toMatchObject({ kind: 'refused', problem_count: 1, problems: [{ line: COUNT + 2 }] });
    expect(await versions()).toEqual([]);
    expect(await importTextDeck(pool, sellFile(deck_name), file('1,North America,0.5\n'))).toMatchObject({
      rows: COUNT + 1,
    });
    expect(being_written).toEqual([{ count: 1 }, { count: 1 }]);
    const [sum] = await rows(
      `select count(*)::int as count, sum(rate_micros_per_segment)::text as micros from text_rate r
         join rate_deck d on d.id = r.deck_id where d.name = $1 and d.state = 'active'`,
      [deck_name],
    );
    expect(sum).toEqual({ count: COUNT + 1, micros: String((COUNT * (COUNT - 1)) / 2 + 500_000) });
  });
});
