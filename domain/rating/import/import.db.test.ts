import pg from 'pg';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { loadIndex } from '../index/load_index.ts';
import { importDeck, type DeckFile, type Imported } from './import_deck.ts';
import { buyFile, deckNameOf, deckStage, inPieces, number, sellFile, type DeckStage } from './testing/deck_stage.ts';

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

const HEADER = 'prefix,destination,rate_per_minute';

function importText(text: string | Buffer, file: DeckFile = sellFile(deck_name)): Promise<Imported> {
  return importDeck(pool, file, inPieces(text));
}

async function rows(sql: string, values: unknown[] = []): Promise<unknown[]> {
  return (await pool.query<Record<string, unknown>>(sql, values)).rows;
}

test('a file becomes rates to the micro, and the next file replaces it as a whole', async () => {
  const first = await importText(
    `\uFEFFprefix,Destination,rate_per_minute,connect_fee,initial_increment_seconds,effective_from\r\n` +
      `44,"United Kingdom, ""proper""",0.012345,0.01,60,\r\n\r\n+4479,Großbritannien mobil,0.2,,,2020-01-31\r\n`,
  );
  expect(first).toMatchObject({ kind: 'imported', version: 1, rows: 2 });
  const index = await loadIndex(pool, Date.now());
  expect(index.lookupSell(number('+442079460000'), deck_name)).toMatchObject({
    prefix: '44',
    destination: 'United Kingdom, "proper"',
    rate: { rate_micros_per_minute: 12_345n, connect_fee_micros: 10_000n, initial_increment_seconds: 60 },
    deck: { name: deck_name, version: 1 },
  });
  expect(index.lookupSell(number('+447911123456'), deck_name)).toMatchObject({ destination: 'Großbritannien mobil' });

  expect(await importText(`${HEADER}\n44,United Kingdom,0.01\n`)).toMatchObject({ kind: 'imported', version: 2 });
  const renewed = (await loadIndex(pool, Date.now())).lookupSell(number('+447911123456'), deck_name);
  expect(renewed).toMatchObject({ prefix: '44', deck: { version: 2 }, rate: { rate_micros_per_minute: 10_000n } });
  expect(await rows('select version, state from rate_deck where name = $1 order by version', [deck_name])).toEqual([
    { version: 1, state: 'retired' },
    { version: 2, state: 'active' },
  ]);
});

// Every field of a price takes a value that no other takes, so that no two of them can change places on the way.
test.each([
  ['in the order of the template', [0, 1, 2, 3, 4, 5, 6]],
  ['in any other order', [4, 6, 1, 5, 0, 3, 2]],
])('each field of a price comes back from the tables as it stood in the file, %s', async (_, order) => {
  const fields: readonly (readonly [column: string, text: string])[] = [
    ['rate_per_minute', '0.000101'],
    ['connect_fee', '0.000103'],
    ['minimum_seconds', '107'],
    ['initial_increment_seconds', '109'],
    ['subsequent_increment_seconds', '113'],
    ['grace_seconds', '127'],
    ['free_seconds', '131'],
  ];
  const ordered = order.map((n) => fields[n] ?? ['', '']);
  const header = ['prefix', 'destination', ...ordered.map(([column]) => column)];
  const line = ['44', 'United Kingdom', ...ordered.map(([, text]) => text)];
  expect(await importText(`${header.join()}\n${line.join()}\n`)).toMatchObject({ kind: 'imported', rows: 1 });
  const rate = {
    ...{ rate_micros_per_minute: 101n, connect_fee_micros: 103n, minimum_seconds: 107 },
    ...{ initial_increment_seconds: 109, subsequent_increment_seconds: 113, grace_seconds: 127, free_seconds: 131 },
  };
  expect((await loadIndex(pool, Date.now())).lookupSell(number('+442079460000'), deck_name)?.rate).toEqual(rate);
  const written = await rows(
    `select ${Object.keys(rate).join()} from rate r join rate_deck d on d.id = r.deck_id where d.name = $1`,
    [deck_name],
  );
  expect(written).toEqual([{ ...rate, rate_micros_per_minute: '101', connect_fee_micros: '103' }]);
});

test('every bad line is reported, and one is enough to write nothing', async () => {
  const result = await importText(
    `${HEADER},minimum_seconds,effective_from,effective_to\n` +
      '44,United Kingdom,0.01,0,,\n' +
      '044,Zero,0.01,0,,\n' +
      '4,,1e-2,-1,,\n' +
      '45,Denmark,0.0000001,0,2026-02-30,\n' +
      '46,Sweden,0.01,0\n' +
      '47,Norway,0.01,0,2026-02-01,2026-01-01\n' +
      '48,Poland,0.01,0,,2026-01-01\n' +
      '48,Poland,0.02,0,2025-12-31,\n' +
      '44,Twice,0.01,0,,\n',
  );
  if (result.kind !== 'refused') throw new Error(`It was ${result.kind}.`);
  expect(result.problems.map(({ line, column }) => [line, column])).toEqual([
    [3, 'prefix'],
    [4, 'destination'],
    [4, 'rate_per_minute'],
    [4, 'minimum_seconds'],
    [5, 'rate_per_minute'],
    [5, 'effective_from'],
    [6, null],
    [7, 'effective_to'],
    [9, 'prefix'],
    [10, 'prefix'],
  ]);
  expect(result.problem_count).toBe(10);
  expect(await rows('select 1 from rate_deck where name = $1', [deck_name])).toEqual([]);
});

test.each([
  ['an empty file', '', 0],
  ['a header alone', `${HEADER}\n`, 0],
  ['a missing column', 'prefix,destination\n44,UK\n', 1],
  ['an unknown column', `${HEADER},price\n44,UK,1,1\n`, 1],
  ['a column twice', `${HEADER},prefix\n44,UK,1,44\n`, 1],
  ['a quote left open', `${HEADER}\n44,"UK,1\n45,DK,1\n`, 2],
  ['a huge line', `${HEADER}\n44,${'x'.repeat(50_000)},1\n`, 2],
  ['another encoding', Buffer.from(`${HEADER}\n49,K\xf6ln,1\n`, 'latin1'), 2],
])('%s is refused with its line', async (_, text, line) => {
  const result = await importText(text);
  if (result.kind !== 'refused') throw new Error(`It was ${result.kind}.`);
  expect(result.problems[0]?.line).toBe(line);
});

test('a file with more bad lines than can be shown says how many there are', async () => {
  const result = await importText(`${HEADER}\n${'x,y,z\n'.repeat(1_000)}`);
  if (result.kind !== 'refused') throw new Error(`It was ${result.kind}.`);
  expect(result.problem_count).toBe(2_000);
  expect(result.problems.length).toBe(200);
});

test('semicolons and UTF-16 with its mark are read', async () => {
  const text = `\uFEFF${HEADER.replaceAll(',', ';')}\r\n49;Köln;0.5\r\n`;
  expect(await importText(Buffer.from(text, 'utf16le'))).toMatchObject({ kind: 'imported', rows: 1 });
  expect(
    await rows(`select r.destination from rate r join rate_deck d on d.id = r.deck_id where d.name = $1`, [deck_name]),
  ).toEqual([{ destination: 'Köln' }]);
});

test('the same file again changes nothing', async () => {
  const text = `${HEADER}\n44,United Kingdom,0.01\n`;
  expect(await importText(text)).toMatchObject({ kind: 'imported', version: 1 });
  expect(await importText(text)).toMatchObject({ kind: 'unchanged', version: 1 });
});

test('two imports at once become two versions, one of them in force', async () => {
  const results = await Promise.all(['0.01', '0.02', '0.03'].map((rate) => importText(`${HEADER}\n44,UK,${rate}\n`)));
  expect(results.map((result) => result.kind === 'imported' && result.version).sort()).toEqual([1, 2, 3]);
  expect(await rows(`select count(*)::int from rate_deck where name = $1 and state = 'active'`, [deck_name])).toEqual([
    { count: 1 },
  ]);
});

test('a deck keeps its side, carrier and currency', async () => {
  const buy = buyFile(deck_name, 1);
  expect(await importText(`${HEADER}\n44,UK,0.01\n`, buy)).toMatchObject({ kind: 'imported' });
  expect(await importText(`${HEADER}\n44,UK,0.02\n`, { ...buy, carrier_id: 2 })).toMatchObject({
    kind: 'refused',
    problem_count: 1,
  });
});

test('services are woken at the commit, and not by an import that wrote nothing', async () => {
  const listener = new pg.Client({ connectionString: stage.database_url });
  await listener.connect();
  const heard: string[] = [];
  listener.on('notification', ({ channel }) => heard.push(channel));
  await listener.query('listen rates');
  await importText(`${HEADER}\nx,UK,1\n`);
  await listener.query('select 1');
  expect(heard).toEqual([]);
  await importText(`${HEADER}\n44,UK,1\n`);
  await listener.query('select 1');
  expect(new Set(heard)).toEqual(new Set(['rates']));
  await listener.end();
});

test('an index holds the rates of its instant and knows when they change', async () => {
  await importText(
    `${HEADER},effective_from,effective_to\n44,UK,0.01,,2030-01-01\n44,UK,0.02,2030-01-01,2031-06-01T12:00:00Z\n45,DK,1,,\n`,
  );
  const at = async (instant: string): Promise<[bigint | undefined, string | null]> => {
    const index = await loadIndex(pool, Date.parse(instant));
    const found = index.lookupSell(number('+442079460000'), deck_name);
    const next = index.next_change_at_ms;
    return [found?.rate.rate_micros_per_minute, next === null ? null : new Date(next).toISOString()];
  };
  expect(await at('2029-12-31T23:59:59.999Z')).toEqual([10_000n, '2030-01-01T00:00:00.000Z']);
  expect(await at('2030-01-01T00:00:00Z')).toEqual([20_000n, '2031-06-01T12:00:00.000Z']);
  expect(await at('2031-06-01T12:00:00Z')).toEqual([undefined, null]);
});
