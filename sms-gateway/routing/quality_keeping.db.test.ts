import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { databaseLogin } from '../../deploy/parts/database_login.ts';
import { textBooks } from '../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../domain/texts/testing/texts.ts';
import { Quality } from './quality.ts';
import { QualityKeeping } from './quality_keeping.ts';

const START = Date.UTC(2026, 0, 15);

let books: TextBooks;
/** Logged in as the gateway is. */
let pool: pg.Pool;

beforeAll(async () => {
  books = await textBooks();
  const { password } = new URL(books.database_url);
  const url = await databaseLogin({ database_url: books.database_url, group: 'letsdial_gateway', password });
  pool = new pg.Pool({ connectionString: url, max: 2 });
});

afterAll(async () => {
  await pool.end();
  await books.end();
});

it('what is known of a carrier is known after a restart', async () => {
  const first = new Quality();
  const keeping = new QualityKeeping(pool, first);
  await keeping.load();
  for (let n = 0; n < 200; n += 1) {
    first.ended(books.carrier_id, 'GB', n % 2 === 0, START + n * 1_000);
    first.ended(books.carrier_id, 'DE', true, START + n * 1_000);
    first.ended(books.carrier_id, null, true, START + n * 1_000);
  }
  await keeping.save();
  first.ended(books.carrier_id, 'GB', false, START + 300_000);
  await keeping.save();
  const { rows } = await books.pool.query<{ country: string }>('select country from text_quality order by country');
  expect(rows.map(({ country }) => country)).toEqual(['DE', 'GB', 'ZZ']);

  const second = new Quality();
  await new QualityKeeping(pool, second).load();
  const [known, learned] = [first, second].map((one) => one.of(books.carrier_id, START + 400_000));
  expect(learned?.quality_ppm_by_country.get('GB')).toBeLessThan(650_000);
  for (const country of ['GB', 'DE']) {
    const [a, b] = [known, learned].map((one) => one?.quality_ppm_by_country.get(country) ?? 0);
    // The texts of all countries together fade a little faster than each by itself.
    expect(Math.abs((a ?? 0) - (b ?? 1_000_000))).toBeLessThan(10_000);
  }
});

it('what cannot be saved is saved by the next turn', async () => {
  const quality = new Quality();
  const keeping = new QualityKeeping(pool, quality);
  quality.ended(9_999, 'GB', true, START);
  await expect(keeping.save()).rejects.toThrow(/foreign key/u);
  expect(quality.toSave()).toMatchObject([{ carrier_id: 9_999, country: 'GB' }]);
  expect(quality.toSave()).toEqual([]);
});
