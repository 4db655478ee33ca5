import { createClient } from 'redis';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { freshRedis, type FreshRedis } from '../../deploy/testing/redis.ts';
import { SharedCallRate } from './call_rate.ts';

/** However long a machine that is busy takes. */
const PATIENT_MS = 10_000;
const SECOND = Date.UTC(2026, 0, 1);

let redis: FreshRedis;
const clients: { destroy: () => void }[] = [];

async function client(): Promise<ReturnType<typeof createClient>> {
  const made = createClient({ url: redis.url, disableOfflineQueue: true });
  made.on('error', () => undefined);
  await made.connect();
  clients.push(made);
  return made as ReturnType<typeof createClient>;
}

beforeAll(async () => {
  redis = await freshRedis();
});

afterAll(() => {
  for (const one of clients) one.destroy();
});

test('controllers count the calls of an account together, second by second', async () => {
  let now_ms = SECOND;
  const [one, other] = [
    new SharedCallRate(await client(), () => now_ms, PATIENT_MS),
    new SharedCallRate(await client(), () => now_ms, PATIENT_MS),
  ];
  const allowed = [];
  for (const rate of [one, other, one, other]) allowed.push(await rate.allows('account', 3));
  expect(allowed).toEqual([true, true, true, false]);
  expect(await one.allows('another account', 3)).toBe(true);
  now_ms += 1000;
  expect(await other.allows('account', 3)).toBe(true);
});

test('what is counted passes by itself', async () => {
  const store = await client();
  const rate = new SharedCallRate(store, () => SECOND + 60_000);
  await rate.allows('account', 1);
  for await (const keys of store.scanIterator())
    for (const key of keys) expect(await store.ttl(key)).toBeGreaterThan(0);
});

test('without Redis a controller counts on its own, and the limit holds', async () => {
  const store = await client();
  const rate = new SharedCallRate(store, () => SECOND + 120_000);
  store.destroy();
  expect([await rate.allows('account', 2), await rate.allows('account', 2), await rate.allows('account', 2)]).toEqual([
    true,
    true,
    false,
  ]);
});

test('a limit of nothing lets nobody call', async () => {
  const rate = new SharedCallRate(await client(), () => SECOND + 180_000);
  expect(await rate.allows('account', 0)).toBe(false);
});
