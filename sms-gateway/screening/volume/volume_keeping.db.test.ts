import pg from 'pg';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { databaseLogin } from '../../../deploy/parts/database_login.ts';
import { textBooks } from '../../../domain/texts/testing/texts.ts';
import type { TextBooks } from '../../../domain/texts/testing/texts.ts';
import { VolumeKeeping } from './volume_keeping.ts';
import { VOLUME_DEFAULTS } from './volume_settings.ts';
import { VolumeWatch } from './volume_watch.ts';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;

let books: TextBooks;
/** Logged in as the gateway is. */
let pool: pg.Pool;
let now_ms = Date.UTC(2026, 0, 15);

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

function begin(): { watch: VolumeWatch; keeping: VolumeKeeping } {
  const watch = new VolumeWatch(VOLUME_DEFAULTS);
  const bounds = { kept_ms: 90 * DAY_MS, forget_every_ms: HOUR_MS, rows_max: 2 };
  return { watch, keeping: new VolumeKeeping({ db: pool, watch, now: () => now_ms, ...bounds }) };
}

async function known(): Promise<string[]> {
  const { rows } = await books.pool.query<{ account_id: string }>('select account_id from text_volume');
  return rows.map(({ account_id }) => account_id).toSorted();
}

it('what accounts usually send is known after a restart, page by page, until they send no more for months', async () => {
  const accounts: string[] = [];
  for (let n = 0; n < 5; n += 1) accounts.push((await books.customer(1n)).account_id);
  const first = begin();
  await first.keeping.load();
  for (const account of accounts) {
    for (let text = 0; text < 300; text += 1) first.watch.passed(account, now_ms);
  }
  await first.keeping.save();
  expect(await known()).toEqual(accounts.toSorted());
  now_ms += HOUR_MS;
  first.watch.passed(accounts[0] ?? '', now_ms);
  await first.keeping.save();

  const second = begin();
  await second.keeping.load();
  expect(second.watch.size).toBe(5);
  for (const account of accounts) {
    expect(second.watch.judge(account, 0, now_ms)).toEqual(first.watch.judge(account, 0, now_ms));
  }

  now_ms += 91 * DAY_MS;
  first.watch.passed(accounts[4] ?? '', now_ms);
  await first.keeping.save();
  expect(await known()).toEqual([accounts[4]]);
});

it('what cannot be saved is saved by the next turn', async () => {
  const { watch, keeping } = begin();
  const { account_id } = await books.customer(1n);
  const nobody = '00000000-0000-4000-8000-000000000000';
  watch.passed(nobody, now_ms);
  watch.passed(account_id, now_ms);
  await expect(keeping.save()).rejects.toThrow(/foreign key/u);
  expect(await known()).not.toContain(account_id);
  expect(watch.toSave(5).map((volume) => volume.account_id)).toEqual([nobody, account_id]);
});
