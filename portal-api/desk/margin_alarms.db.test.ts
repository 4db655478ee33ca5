import fc from 'fast-check';
import pg from 'pg';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshDatabase } from '../../deploy/testing/database.ts';
import type { FreshDatabase } from '../../deploy/testing/database.ts';
import { makeCarrier } from '../../deploy/world/people.ts';
import { putDeck } from '../../deploy/world/tariffs.ts';
import { price } from '../../domain/rating/price.ts';
import type { Rate } from '../../domain/rating/rate.ts';
import { readDeck } from './deck_rows.ts';
import { callPriceSql, marginAlarms } from './margin_alarms.ts';
import type { MarginAlarm } from './margin_alarms.ts';

let database: FreshDatabase;
let pool: pg.Pool;
let carriers: Record<'alpha' | 'beta', number>;

beforeAll(async () => {
  database = await freshDatabase();
  pool = new pg.Pool({ connectionString: database.url, max: 2 });
  const auth = { username: 'us', secret: 'very-secret' };
  const made = (carrier: string): Promise<number> =>
    makeCarrier(pool, { carrier, trunk: `trunk-${carrier}`, address: '127.0.0.5', port: 5060, auth });
  carriers = { alpha: await made('alpha'), beta: await made('beta') };
});

afterAll(async () => {
  await pool.end();
  await database.drop();
});

const few = fc.integer({ min: 0, max: 90 });
const increment = fc.constantFrom(1, 6, 30, 60, 7);
const rates: fc.Arbitrary<Rate> = fc.record({
  rate_micros_per_minute: fc.oneof(fc.constantFrom(0n, 1n, 59n, 61n), fc.bigInt({ min: 0n, max: 9_000_000_000_000n })),
  connect_fee_micros: fc.oneof(fc.constant(0n), fc.bigInt({ min: 0n, max: 5_000_000n })),
  ...{ minimum_seconds: few, initial_increment_seconds: increment, subsequent_increment_seconds: increment },
  ...{ grace_seconds: fc.integer({ min: 0, max: 10 }), free_seconds: few },
});

const FIELDS = [
  'rate_micros_per_minute',
  'connect_fee_micros',
  'minimum_seconds',
  'initial_increment_seconds',
] as const;
const MORE_FIELDS = ['subsequent_increment_seconds', 'grace_seconds', 'free_seconds'] as const;

it('is worked out in the database by the very price that a call is charged by', async () => {
  const calls = fc.sample(fc.tuple(fc.integer({ min: 0, max: 700 }), rates), 600);
  const columns = [...FIELDS, ...MORE_FIELDS].map((name) => calls.map(([, rate]) => rate[name].toString()));
  const { rows } = await pool.query<{ micros: string }>(
    `select (${callPriceSql('r', 'r.seconds')})::bigint as micros
       from unnest($1::integer[], $2::bigint[], $3::bigint[], $4::integer[], $5::integer[], $6::integer[], $7::integer[], $8::integer[])
         with ordinality as r (seconds, ${[...FIELDS, ...MORE_FIELDS].join(', ')}, n) order by r.n`,
    [calls.map(([seconds]) => seconds), ...columns],
  );
  expect(rows.map(({ micros }) => BigInt(micros))).toEqual(calls.map(([seconds, rate]) => price(seconds, rate)));
});

describe('a deck that sells', () => {
  async function alarms(
    sell: Partial<Rate>,
    buys: Partial<Record<'alpha' | 'beta', Partial<Rate>>>,
  ): Promise<MarginAlarm[]> {
    const rows = (rate: Partial<Rate>) => [
      { prefix: '44', destination: 'UK', rate_micros_per_minute: 60_000n, ...rate },
    ];
    for (const [name, rate] of Object.entries(buys) as ['alpha' | 'beta', Partial<Rate>][]) {
      await putDeck(pool, { name, currency: 'EUR', carrier_id: carriers[name], rows: rows(rate) });
    }
    await putDeck(pool, { name: 'retail', currency: 'EUR', carrier_id: null, rows: rows(sell) });
    const put = await pool.query<{ id: number }>(`select id from rate_deck where name = 'retail' and state = 'active'`);
    const deck = await readDeck(pool, put.rows[0]?.id ?? 0);
    if (deck === null) throw new Error('The deck that was put is gone.');
    return marginAlarms(pool, deck, new Date());
  }
  const lost = (all: readonly MarginAlarm[]): unknown[] =>
    all.flatMap(({ losses }) => losses.map(({ seconds, carrier, loss_micros }) => [seconds, carrier, loss_micros]));

  it('loses on short calls by a fee, a minimum or a long first step of the carrier, though its minute costs more', async () => {
    const alpha = { rate_micros_per_minute: 30_000n };
    expect(await alarms({}, { alpha })).toEqual([]);
    // 10 cents of a unit for each call: earned back from 200 seconds on.
    const fee = await alarms({}, { alpha: { ...alpha, connect_fee_micros: 100_000n } });
    expect(lost(fee)).toEqual([
      [6, 'alpha', '97000'],
      [30, 'alpha', '85000'],
      [60, 'alpha', '70000'],
      [180, 'alpha', '10000'],
    ]);
    expect(lost(await alarms({}, { alpha: { ...alpha, minimum_seconds: 60 } }))).toEqual([[6, 'alpha', '24000']]);
    const steps = { initial_increment_seconds: 60, subsequent_increment_seconds: 60 };
    expect(lost(await alarms({}, { alpha: { ...alpha, ...steps } }))).toEqual([[6, 'alpha', '24000']]);
    expect(await alarms({ minimum_seconds: 30 }, { alpha: { ...alpha, ...steps } })).toEqual([]);
  });

  it('loses where not even the carrier that is the cheapest for a call of that length leaves anything', async () => {
    const all = await alarms(
      { connect_fee_micros: 0n, rate_micros_per_minute: 20_000n },
      {
        alpha: { rate_micros_per_minute: 10_000n, connect_fee_micros: 50_000n },
        beta: { rate_micros_per_minute: 25_000n },
      },
    );
    // Up to three minutes beta is the cheaper one, and costs more than it is sold for; of ten alpha leaves something.
    expect(all).toMatchObject([{ sell_deck: 'retail', prefix: '44', destination: 'UK' }]);
    expect(lost(all)).toEqual([
      [6, 'beta', '500'],
      [30, 'beta', '2500'],
      [60, 'beta', '5000'],
      [180, 'beta', '15000'],
    ]);
  });
});
