import { createClient } from 'redis';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freshRedis } from '../../deploy/testing/redis.ts';
import { Pacing } from './pacing.ts';
import { Problem } from './problem.ts';

const [POINTS, SECONDS] = [200, 60];
/** A fiftieth of the points. */
const LEASE = 4;

let redis: ReturnType<typeof createClient>;
let asked = 0;
let now_ms = 0;

beforeAll(async () => {
  redis = createClient({ url: (await freshRedis()).url });
  await redis.connect();
});

afterAll(() => redis.destroy());

/** One process of the portal, which counts what it asks of Redis. */
function newPacing(points = POINTS): Pacing {
  const limit = { points, seconds: SECONDS };
  const counting: Pick<typeof redis, 'eval'> = {
    eval: (...command) => {
      asked += 1;
      return redis.eval(...command);
    },
  };
  return new Pacing(counting, { read: limit, write: limit, guess: limit, costly: limit }, () => now_ms);
}

async function allowedOf(pacing: Pacing, key: string, times: number): Promise<number> {
  let allowed = 0;
  for (let n = 0; n < times; n += 1) {
    try {
      await pacing.take('read', [key]);
      allowed += 1;
    } catch (error) {
      expect(error).toBeInstanceOf(Problem);
    }
  }
  return allowed;
}

it('asks Redis for some points at a time, and allows no more than there are over two processes', async () => {
  asked = 0;
  const [one, other] = [newPacing(), newPacing()];
  expect(await allowedOf(one, 'ada', 41)).toBe(41);
  expect(asked).toBe(11);
  const [more, others] = await Promise.all([allowedOf(one, 'ada', POINTS), allowedOf(other, 'ada', POINTS)]);
  const allowed = 41 + more + others;
  expect(allowed).toBeLessThanOrEqual(POINTS);
  expect(allowed).toBeGreaterThan(POINTS - 2 * LEASE);
  expect(await allowedOf(other, 'eve', 1)).toBe(1);
});

const allowedAtOnce = async (pacings: readonly Pacing[], key: string, times: number): Promise<number> => {
  const each = pacings.flatMap((pacing) => Array.from({ length: times }, () => pacing.take('read', [key])));
  const settled = await Promise.allSettled(each);
  for (const one of settled) if (one.status === 'rejected') expect(one.reason).toBeInstanceOf(Problem);
  return settled.filter(({ status }) => status === 'fulfilled').length;
};

it('lets what is asked at the same moment share what was taken, and loses none of it', async () => {
  asked = 0;
  const pacing = newPacing();
  expect(await allowedAtOnce([pacing], 'max', 150)).toBe(150);
  expect(asked).toBe(Math.ceil(150 / LEASE));
  expect(await allowedAtOnce([pacing], 'max', 150)).toBe(POINTS - 150);
  const allowed = await allowedAtOnce([newPacing(), newPacing()], 'mia', 150);
  expect(allowed).toBeLessThanOrEqual(POINTS);
  expect(allowed).toBeGreaterThan(POINTS - 2 * LEASE);
});

it('asks for each one where little is allowed, and is exact', async () => {
  asked = 0;
  expect(await allowedOf(newPacing(5), 'bob', 8)).toBe(5);
  expect(asked).toBe(8);
});

it('lets what was taken count only as long as what it was taken from', async () => {
  const pacing = newPacing();
  asked = 0;
  expect(await allowedOf(pacing, 'joe', 2)).toBe(2);
  expect(asked).toBe(1);
  now_ms += SECONDS * 1_000 + 1;
  expect(await allowedOf(pacing, 'joe', 1)).toBe(1);
  expect(asked).toBe(2);
});
