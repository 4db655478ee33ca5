import { createClient } from 'redis';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freshRedis } from '../../deploy/testing/redis.ts';
import { LocalFailures, SharedFailures } from './failures.ts';
import { Memory } from './memory.ts';

let redis: ReturnType<typeof createClient>;
let now_ms = 0;

beforeAll(async () => {
  redis = createClient({ url: (await freshRedis()).url, disableOfflineQueue: true });
  await redis.connect();
});

afterAll(() => redis.destroy());

const now = (): number => now_ms;

describe('failures of an address', () => {
  it('are counted within a window, in this process', async () => {
    const failures = new LocalFailures(1000, now);
    now_ms = 0;
    expect([await failures.add('a'), await failures.add('b'), await failures.add('a')]).toEqual([1, 1, 2]);
    now_ms = 999;
    expect(await failures.add('a')).toBe(3);
    now_ms = 1000;
    expect(await failures.add('a')).toBe(1);
  });

  it('are counted by all controllers together, for as long as the window lasts', async () => {
    const [one, other] = [new SharedFailures(redis, 60, now), new SharedFailures(redis, 60, now)];
    expect([await one.add('192.0.2.1'), await other.add('192.0.2.1'), await one.add('192.0.2.2')]).toEqual([1, 2, 1]);
    const ttl = await redis.ttl('letsdial:guard:failures:192.0.2.1');
    expect(ttl).toBeGreaterThan(50);
  });

  it('are counted here while Redis is away', async () => {
    const away = createClient({ url: 'redis://127.0.0.1:1', disableOfflineQueue: true });
    const failures = new SharedFailures(away, 60, now);
    expect([await failures.add('192.0.2.1'), await failures.add('192.0.2.1')]).toEqual([1, 2]);
    const breaking = {
      isReady: true,
      incr: () => Promise.reject(new Error('gone')),
      expire: () => Promise.reject(new Error('gone')),
    };
    expect(await new SharedFailures(breaking, 60, now).add('192.0.2.1')).toBe(1);
  });
});

describe('what the guard remembers', () => {
  const memory = (store: ConstructorParameters<typeof Memory>[0]['store']): Memory =>
    new Memory({ store, proven_seconds: 60, now, onTrouble: () => undefined });

  it('outlives the process', async () => {
    await memory(redis).keepBlock('192.0.2.7', 5000);
    await memory(redis).keepBlock('192.0.2.8', 6000);
    await memory(redis).dropBlock('192.0.2.7');
    expect(await memory(redis).blocks()).toEqual(new Map([['192.0.2.8', 6000]]));
    await memory(redis).keepProven('192.0.2.9');
    expect(await memory(redis).isProven('192.0.2.9')).toBe(true);
    expect(await memory(redis).isProven('192.0.2.10')).toBe(false);
  });

  it('is what this process saw, while Redis is away', async () => {
    const alone = memory(createClient({ url: 'redis://127.0.0.1:1', disableOfflineQueue: true }));
    now_ms = 0;
    await alone.keepProven('192.0.2.9');
    expect([await alone.isProven('192.0.2.9'), await alone.isProven('192.0.2.8')]).toEqual([true, false]);
    now_ms = 60_000;
    expect(await alone.isProven('192.0.2.9')).toBe(false);
    expect(await alone.blocks()).toEqual(new Map());
  });
});
