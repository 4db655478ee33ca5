import type pg from 'pg';
import { expect, it } from 'vitest';
import type { CallerProfile } from '../../domain/accounts/caller_profile.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { KnownCallers } from './known_callers.ts';

const profileOf = (device: string): CallerProfile => ({
  ...{ device, account_id: 'account', state: 'active', home_country: 'DE', time_zone: 'UTC', tax_ppm: 0 },
  ...{
    sell_deck: 'retail',
    wallet_id: 7n,
    currency: 'EUR',
    restrictions: [],
    owes_terms: false,
    limits: null,
    packs: [],
  },
  ...{ caller_number: '+493012345678', claim_refused: false },
});

const nameOf = (n: number): string => `dev-${String(n).padStart(5, '0')}`;

/** A database of that many devices, and how often it was asked for some of them. */
function databaseOf(devices: number): { db: Queryable; asked: () => number; away: (is_away: boolean) => void } {
  const [names, state] = [Array.from({ length: devices }, (_, n) => nameOf(n)), { asked: 0, is_away: false }];
  const query = ({ values = [] }: pg.QueryConfig): Promise<{ rows: object[] }> => {
    const [after, rows_max] = values as [string, number];
    state.asked += 1;
    if (state.is_away) return Promise.reject(new Error('away'));
    const rows = names.filter((name) => name > after).slice(0, rows_max);
    return Promise.resolve({ rows: rows.map((name) => ({ ...profileOf(name), wallet_id: '7' })) });
  };
  return {
    db: { query } as unknown as Queryable,
    asked: () => state.asked,
    away: (is_away) => (state.is_away = is_away),
  };
}

it('keeps no more callers than it may, and of them those that called last', () => {
  const known = new KnownCallers(databaseOf(0).db, { known_max: 2 });
  for (const device of ['one', 'two', 'one', 'three']) known.lookedUp(device, profileOf(device));
  expect(['one', 'two', 'three'].map((device) => known.get(device)?.device)).toEqual(['one', undefined, 'three']);
});

it('keeps nothing of a profile that help does not need', () => {
  const known = new KnownCallers(databaseOf(0).db);
  known.lookedUp('one', profileOf('one'));
  expect(known.get('one')).not.toHaveProperty('limits');
});

it('reads all others part by part with the first caller, and again ten minutes later', async () => {
  const { db, asked } = databaseOf(2_500);
  let now_ms = 0;
  const known = new KnownCallers(db, { now: () => now_ms });
  known.lookedUp('one', profileOf('one'));
  await expect.poll(() => known.get(nameOf(2_499))?.wallet_id).toBe(7n);
  now_ms = 599_999;
  known.lookedUp('two', profileOf('two'));
  expect(asked()).toBe(3);
  now_ms = 600_000;
  known.lookedUp('two', profileOf('two'));
  await expect.poll(asked).toBe(6);
});

it('reads no more of them than it may keep', async () => {
  const { db, asked } = databaseOf(2_500);
  const known = new KnownCallers(db, { known_max: 1_000 });
  known.lookedUp('one', profileOf('one'));
  await expect.poll(() => known.get(nameOf(998))).toBeDefined();
  expect(known.get(nameOf(999))).toBeUndefined();
  expect(asked()).toBe(1);
});

it('reads them with a later caller where the database went away, but not with each', async () => {
  const { db, asked, away } = databaseOf(1);
  let now_ms = 0;
  const known = new KnownCallers(db, { now: () => now_ms });
  away(true);
  known.lookedUp('one', profileOf('one'));
  await new Promise((resolve) => setImmediate(resolve));
  away(false);
  known.lookedUp('one', profileOf('one'));
  expect(asked()).toBe(1);
  now_ms = 10_000;
  known.lookedUp('one', profileOf('one'));
  await expect.poll(() => known.get(nameOf(0))).toBeDefined();
});
