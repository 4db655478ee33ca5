import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../../deploy/testing/database.ts';
import { putDeck, putTextDeck } from '../../../deploy/world/tariffs.ts';
import { parseCurrency } from '../../money/currency.ts';
import type { Currency } from '../../money/currency.ts';
import { parseE164 } from '../../numbers/e164.ts';
import type { E164 } from '../../numbers/e164.ts';
import { importDeck } from '../../rating/import/import_deck.ts';
import { loadIndex } from '../../rating/index/load_index.ts';
import { loadTextPrices, textPrice } from './text_prices.ts';
import type { TextPrices, TextRate } from './text_prices.ts';

let database: FreshDatabase;
let pool: pg.Pool;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 4 });
  await pool.query(
    `insert into carrier (id, code, name, currency) values (1, 'alpha', 'Alpha', 'EUR'), (2, 'beta', 'Beta', 'EUR')`,
  );
  const row = (prefix: string, rate_micros_per_segment: bigint) => ({
    prefix,
    destination: `to ${prefix}`,
    rate_micros_per_segment,
  });
  const deck = { currency: 'EUR', carrier_id: null };
  await putTextDeck(pool, {
    ...deck,
    name: 'retail-texts',
    rows: [row('44', 50_000n), row('447', 40_000n), row('1', 9_000n)],
  });
  await putTextDeck(pool, { ...deck, name: 'other-texts', rows: [row('44', 70_000n)] });
  await putTextDeck(pool, { ...deck, name: 'alpha-texts', carrier_id: 1, rows: [row('44', 30_000n)] });
  await putTextDeck(pool, { ...deck, name: 'beta-texts', carrier_id: 2, rows: [row('447', 20_000n)] });
  const call = {
    ...{ prefix: '44', destination: 'calls', rate_micros_per_minute: 11n },
    ...{ connect_fee_micros: 0n },
  };
  const increments = { minimum_seconds: 0, initial_increment_seconds: 1, subsequent_increment_seconds: 1 };
  await putDeck(pool, { ...deck, name: 'retail', rows: [{ ...call, ...increments }] });
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

function number(text: string): E164 {
  const parsed = parseE164(text);
  if (!parsed) throw new Error(`${text} should be a number.`);
  return parsed;
}

function euro(): Currency {
  const currency = parseCurrency('EUR');
  if (!currency) throw new Error('EUR should be a currency.');
  return currency;
}

const mobile = number('+447700900123');
const fixed = number('+442071838750');
const pricesAt = (instant: string): Promise<TextPrices> => loadTextPrices(pool, Date.parse(instant));

describe('the prices of texts', () => {
  it('are those of the longest prefix, of the customer’s own deck', async () => {
    const prices = await pricesAt('2026-01-15T00:00:00Z');
    expect(prices.size).toEqual({ decks: 4, rates: 6 });
    const deck = { name: 'retail-texts', version: 1 };
    expect(prices.sell(mobile, 'retail-texts')).toMatchObject({
      prefix: '447',
      rate_micros_per_segment: 40_000n,
      deck,
    });
    expect(prices.sell(fixed, 'retail-texts')).toMatchObject({ prefix: '44', destination: 'to 44' });
    expect(prices.sell(mobile, 'other-texts')).toMatchObject({ prefix: '44', rate_micros_per_segment: 70_000n });
    expect(prices.sell(number('+4930123456'), 'retail-texts')).toBeNull();
    expect(prices.sell(mobile, 'nobody')).toBeNull();
  });

  it('are those of each carrier that reaches the number', async () => {
    const prices = await pricesAt('2026-01-15T00:00:00Z');
    const bought = prices
      .buy(mobile)
      .map(({ carrier_id, rate_micros_per_segment }) => [carrier_id, rate_micros_per_segment]);
    expect(bought.sort()).toEqual([
      [1, 30_000n],
      [2, 20_000n],
    ]);
    expect(prices.buy(fixed)).toMatchObject([{ carrier_id: 1, prefix: '44' }]);
  });

  it('are no prices of calls, nor those prices of texts', async () => {
    const prices = await pricesAt('2026-01-15T00:00:00Z');
    expect(prices.sell(mobile, 'retail')).toBeNull();
    const calls = await loadIndex(pool, Date.parse('2026-01-15T00:00:00Z'));
    expect(calls.lookupSell(mobile, 'retail-texts')).toBeNull();
    expect(calls.lookupSell(mobile, 'retail')).toMatchObject({ rate: { rate_micros_per_minute: 11n } });
    expect(calls.lookupBuy(mobile)).toEqual([]);
  });

  it('hold from the first instant of a row to the last before its end, and tell when they change', async () => {
    const { rows } = await pool.query<{ id: number }>(
      `insert into rate_deck (name, side, currency, version, checksum, imported_by, service)
       values ('dated', 'sell', 'EUR', 1, repeat('a', 64), 'test', 'texts') returning id`,
    );
    await pool.query(
      `insert into text_rate (deck_id, prefix, effective_from, effective_to, destination, rate_micros_per_segment)
       values ($1, '44', '2026-02-01', '2026-03-01', 'x', 1), ($1, '44', '2026-03-01', null, 'x', 2)`,
      [rows[0]?.id],
    );
    await pool.query(`update rate_deck set state = 'active' where name = 'dated'`);
    const seen = async (instant: string) => {
      const prices = await pricesAt(instant);
      return [prices.sell(mobile, 'dated')?.rate_micros_per_segment ?? null, prices.next_change_at_ms];
    };
    const [february, march] = [Date.UTC(2026, 1, 1), Date.UTC(2026, 2, 1)];
    expect(await seen('2026-01-31T23:59:59.999Z')).toEqual([null, february]);
    expect(await seen('2026-02-01T00:00:00Z')).toEqual([1n, march]);
    expect(await seen('2026-02-28T23:59:59.999Z')).toEqual([1n, march]);
    expect(await seen('2026-03-01T00:00:00Z')).toEqual([2n, null]);
    // What changes of texts is no reason to read the prices of calls again.
    expect((await loadIndex(pool, february - 1)).next_change_at_ms).toBeNull();
  });
});

describe('the price of a text', () => {
  it.each([
    [1, 40_000n, 0, 40_000n, 0n],
    [3, 40_000n, 190_000, 120_000n, 22_800n],
    // The tax is rounded up once, on the whole.
    [3, 1n, 190_000, 3n, 1n],
    [1, 1n, 1, 1n, 1n],
    [255, 0n, 190_000, 0n, 0n],
    [2, 5n, 1_000_000, 10n, 10n],
  ])('of %i segments at %s with %i ppm is %s and %s', (segments, rate_micros_per_segment, tax_ppm, net, tax) => {
    const rate = { rate_micros_per_segment } as TextRate;
    expect(textPrice(segments, rate, tax_ppm)).toEqual({ net, tax, gross: net + tax });
  });
});

describe('an import of a deck of calls', () => {
  const importText = (name: string, carrier_id: number | null) =>
    importDeck(
      pool,
      {
        ...(carrier_id === null ? { side: 'sell' as const, carrier_id } : { side: 'buy' as const, carrier_id }),
        ...{ name, currency: euro(), imported_by: 'test' },
      },
      (async function* () {
        await Promise.resolve();
        yield Buffer.from('prefix,destination,rate_per_minute\n44,United Kingdom,0.01\n');
      })(),
    );

  it('of a carrier takes that carrier’s deck of calls out of force, and leaves its texts', async () => {
    expect(await importText('alpha-calls', 1)).toMatchObject({ kind: 'imported' });
    expect(await importText('alpha-calls-new', 1)).toMatchObject({
      kind: 'imported',
    });
    const { rows } = await pool.query('select name from rate_deck where carrier_id = 1 and state = $1 order by name', [
      'active',
    ]);
    expect(rows).toEqual([{ name: 'alpha-calls-new' }, { name: 'alpha-texts' }]);
    expect((await pricesAt('2026-01-15T00:00:00Z')).buy(fixed)).toMatchObject([{ rate_micros_per_segment: 30_000n }]);
  });

  it('under the name of a deck of texts changes nothing', async () => {
    const refused = await importText('other-texts', null);
    expect(refused.kind).toBe('refused');
    expect(JSON.stringify(refused)).toContain('is under the name of a deck of texts.');
    expect((await pricesAt('2026-01-15T00:00:00Z')).sell(mobile, 'other-texts')).toMatchObject({
      rate_micros_per_segment: 70_000n,
    });
  });
});
