import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshRedis, type FreshRedis } from '../../../deploy/testing/redis.ts';
import { ZoneClock } from '../zone_clock.ts';
import { PaceSharing } from './pace_sharing.ts';
import { TextPace } from './text_pace.ts';

const START = Date.UTC(2026, 0, 15, 12);
const limit = { texts_per_second_max: 10, texts_per_day_max: 15, time_zone: 'UTC' };

let redis: FreshRedis;
const clients: { destroy: () => void }[] = [];
let now_ms = START;

async function client(): Promise<ReturnType<typeof createClient>> {
  const made = createClient({ url: redis.url, disableOfflineQueue: true });
  made.on('error', () => undefined);
  await made.connect();
  clients.push(made);
  return made as ReturnType<typeof createClient>;
}

interface Sharer {
  pace: TextPace;
  sharing: PaceSharing;
  alone: Error[];
}

function sharer(store: ConstructorParameters<typeof PaceSharing>[0]['store']): Sharer {
  const pace = new TextPace(new ZoneClock());
  const alone: Error[] = [];
  const sharing = new PaceSharing({
    ...{ pace, store, now: () => now_ms, share_every_ms: 100 },
    onAlone: (error) => alone.push(error),
  });
  return { pace, sharing, alone };
}

const take = ({ pace }: Sharer, texts: number): number =>
  Array.from({ length: texts }, () => pace.take('a', limit, now_ms)).filter((verdict) => verdict === 'taken').length;

beforeAll(async () => {
  redis = await freshRedis();
});

afterAll(() => {
  for (const one of clients) one.destroy();
});

describe('gateways that share limits through Redis', () => {
  it('pay for what the others took, and count the day together', async () => {
    const [one, other] = [sharer(await client()), sharer(await client())];
    expect([take(one, 1), take(other, 1)]).toEqual([1, 1]);
    await one.sharing.share();
    await other.sharing.share();
    now_ms += 100;
    expect(take(one, 6)).toBe(6);
    await one.sharing.share();
    await other.sharing.share();
    // Of ten it has one taken and six of the other's, and in 100 ms it got one back.
    expect(take(other, 20)).toBe(4);
    now_ms += 60_000;
    for (let turn = 0; turn < 10; turn += 1) {
      await other.sharing.share();
      await one.sharing.share();
    }
    expect(take(one, 20) + take(other, 0)).toBeLessThanOrEqual(15 - 8);
  });

  it('leave nothing in it that does not pass by itself', async () => {
    const store = await client();
    const one = sharer(store);
    take(one, 2);
    await one.sharing.share();
    let keys = 0;
    for await (const found of store.scanIterator()) {
      for (const key of found) {
        keys += 1;
        expect(await store.ttl(key), key).toBeGreaterThan(0);
      }
    }
    expect(keys).toBeGreaterThanOrEqual(2);
  });

  it('go on alone without it, and say so once', async () => {
    const store = await client();
    const failing = {
      isReady: true,
      incrBy: () => Promise.reject(new Error('gone')),
      expire: () => Promise.reject(new Error('gone')),
    };
    const one = sharer(failing);
    expect(take(one, 12)).toBe(10);
    await one.sharing.share();
    now_ms += 1_000;
    expect(take(one, 12)).toBe(5);
    await one.sharing.share();
    expect(one.alone.map(({ message }) => message)).toEqual(['gone']);
    store.destroy();
    const away = sharer(store);
    now_ms += 86_400_000;
    expect(take(away, 12)).toBe(10);
    await away.sharing.share();
    expect(away.alone).toEqual([]);
  });

  it('tell the day’s texts when it answers again', async () => {
    const store = await client();
    let is_away = true;
    const one = sharer({
      isReady: true,
      incrBy: (key, by) => (is_away ? Promise.reject(new Error('gone')) : store.incrBy(key, by)),
      expire: (key, seconds) => store.expire(key, seconds),
    });
    now_ms += 86_400_000;
    expect(take(one, 10)).toBe(10);
    await one.sharing.share();
    is_away = false;
    for (let turn = 0; turn < 10; turn += 1) await one.sharing.share();
    const other = sharer(store);
    take(other, 1);
    await other.sharing.share();
    now_ms += 60_000;
    expect(take(other, 10)).toBe(15 - 10 - 1);
    expect(one.alone).toHaveLength(1);
  });

  it('hold up nobody when it does not answer at all', async () => {
    const answers: ((total: number) => void)[] = [];
    const mute = {
      isReady: true,
      incrBy: () => new Promise<number>((resolve) => answers.push(resolve)),
      expire: () => Promise.resolve(true),
    };
    const one = sharer(mute);
    take(one, 3);
    const turn = one.sharing.share();
    await one.sharing.share();
    now_ms += 1_000;
    expect(take(one, 20)).toBe(10);
    expect(answers).toHaveLength(2);
    for (const answer of answers) answer(3);
    await turn;
  });
});
