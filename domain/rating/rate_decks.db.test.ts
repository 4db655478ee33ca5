import pg from 'pg';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshDatabase, type FreshDatabase } from '../../deploy/testing/database.ts';
import { convert, selectFxRates } from './fx_rates.ts';

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  await pool.query(`insert into carrier (id, code, name, currency) values (1, 'alpha', 'Alpha', 'EUR')`);
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

async function makeDeck(fields = ''): Promise<number> {
  const { rows } = await pool.query<{ id: number }>(
    `insert into rate_deck (name, side, carrier_id, currency, version, checksum, imported_by)
     select 'deck-' || count(*), 'sell', null, 'EUR', 1, repeat('a', 64), 'test' from rate_deck returning id`,
  );
  const id = rows[0]?.id ?? 0;
  if (fields !== '') await addRate(id, fields);
  return id;
}

function addRate(deck_id: number, fields: string): Promise<unknown> {
  return pool.query(
    `insert into rate (deck_id, destination, rate_micros_per_minute, prefix, effective_from, effective_to) values (${deck_id}, 'x', 1, ${fields})`,
  );
}

const ALWAYS = `'44', '-infinity', null`;

test.each([
  ['a buy deck without a carrier', `'buy', null, 'EUR', 1`],
  ['a sell deck with a carrier', `'sell', 1, 'EUR', 1`],
  ['a currency that is none', `'sell', null, 'eur', 1`],
  ['a version 0', `'sell', null, 'EUR', 0`],
])('%s is refused', async (_, values) => {
  const insert = `insert into rate_deck (name, imported_by, side, carrier_id, currency, version) values ('odd', 'test', ${values})`;
  await expect(pool.query(insert)).rejects.toThrow(/constraint/);
});

test.each([
  `'044', now(), null`,
  `'', now(), null`,
  `'+44', now(), null`,
  `'1234567890123456', now(), null`,
  `'44', now(), now()`,
])('a rate of %s is refused', async (fields) => {
  const id = await makeDeck();
  await expect(addRate(id, fields)).rejects.toThrow(/constraint/);
});

test('rates that overlap do not go into force', async () => {
  const id = await makeDeck(`'44', '2026-01-01', '2026-03-01'`);
  await addRate(id, `'44', '2026-02-01', null`);
  await expect(pool.query(`update rate_deck set state = 'active' where id = $1`, [id])).rejects.toThrow(/overlap/);
  const touching = await makeDeck(`'44', '2026-01-01', '2026-02-01'`);
  await addRate(touching, `'44', '2026-02-01', null`);
  await pool.query(`update rate_deck set state = 'active' where id = $1`, [touching]);
});

test('a deck in force takes no further rates, keeps those it has and changes its state only', async () => {
  const id = await makeDeck(ALWAYS);
  await pool.query(`update rate_deck set state = 'active' where id = $1`, [id]);
  await expect(addRate(id, `'45', '-infinity', null`)).rejects.toThrow(/no further rates/);
  await expect(pool.query(`update rate set rate_micros_per_minute = 2 where deck_id = $1`, [id])).rejects.toThrow(
    /append-only/,
  );
  await expect(pool.query(`delete from rate where deck_id = $1`, [id])).rejects.toThrow(/append-only/);
  await expect(pool.query(`delete from rate_deck where id = $1`, [id])).rejects.toThrow(/append-only/);
  await expect(pool.query(`update rate_deck set currency = 'USD' where id = $1`, [id])).rejects.toThrow(
    /only the state/,
  );
  await expect(pool.query(`update rate_deck set checksum = repeat('b', 64) where id = $1`, [id])).rejects.toThrow(
    /only the state/,
  );
  await expect(pool.query(`update rate_deck set state = 'draft' where id = $1`, [id])).rejects.toThrow(/draft again/);
});

test('two versions are never in force at once', async () => {
  const id = await makeDeck(ALWAYS);
  await pool.query(`update rate_deck set state = 'active' where id = $1`, [id]);
  const second = `insert into rate_deck (name, side, currency, version, checksum, imported_by, state)
                  select name, side, currency, 2, checksum, 'test', 'active' from rate_deck where id = $1`;
  await expect(pool.query(second, [id])).rejects.toThrow(/rate_deck_active/);
});

test('the newest exchange rate up to the day is taken', async () => {
  await pool.query(
    `insert into fx_rate values ('EUR', 'USD', '2026-01-01', 11, 10), ('EUR', 'USD', '2026-02-01', 12, 10), ('EUR', 'USD', '2026-03-01', 13, 10)`,
  );
  const at = async (now: string): Promise<bigint | null> =>
    convert(1_000n, 'EUR', 'USD', await selectFxRates(pool, new Date(now)));
  expect(await at('2025-12-31T23:59:59Z')).toBeNull();
  expect(await at('2026-01-31T23:59:59Z')).toBe(1_100n);
  expect(await at('2026-02-01T00:00:00Z')).toBe(1_200n);
  await expect(pool.query(`update fx_rate set numerator = 1`)).rejects.toThrow(/append-only/);
});
