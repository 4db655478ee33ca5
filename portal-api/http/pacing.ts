import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { RedisClient } from '../identity/bounded_redis.ts';
import { Problem } from './problem.ts';
import type { Pace } from './route.ts';

export type PaceLimits = Readonly<Record<Pace, { points: number; seconds: number }>>;

/**
 * Bounds how often whoever asks may, over all processes by Redis. While Redis is away each process counts by itself, with a fraction of
 * what is allowed: nobody is locked out, and no secret becomes free to guess.
 */
export class Pacing {
  readonly #limiters: ReadonlyMap<Pace, RateLimiterRedis>;

  constructor(redis: Pick<RedisClient, 'eval'>, limits: PaceLimits) {
    this.#limiters = new Map(
      (Object.entries(limits) as [Pace, PaceLimits[Pace]][]).map(([pace, { points, seconds }]) => [
        pace,
        new RateLimiterRedis({
          storeClient: redis,
          useRedisPackage: true,
          keyPrefix: `portal:pace:${pace}`,
          points,
          duration: seconds,
          insuranceLimiter: new RateLimiterMemory({
            keyPrefix: pace,
            points: Math.max(1, Math.floor(points / 2)),
            duration: seconds,
          }),
        }),
      ]),
    );
  }

  /** Throws `too_many` where it was too often, by any of these names. */
  async take(pace: Pace, whose: readonly string[]): Promise<void> {
    const limiter = this.#limiters.get(pace);
    if (limiter === undefined) throw new Error(`There is no pace ${pace}.`);
    await Promise.all(whose.map((key) => this.#takeOne(limiter, key)));
  }

  async #takeOne(limiter: RateLimiterRedis, key: string): Promise<void> {
    try {
      await limiter.consume(key);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      const retry_after_seconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
      throw new Problem('too_many', `Wait ${retry_after_seconds} s and ask again.`, { retry_after_seconds });
    }
  }
}

/** By what an address is counted: whoever has one of IPv6 has the 2^64 of its network, and would be somebody else each time. */
export function pacedAddress(address: string): string {
  if (!isIPv6(address) || address.startsWith('::ffff:')) return address;
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const groupsOf = (text = ''): string[] => (text === '' ? [] : text.split(':'));
  const [first, last] = [groupsOf(head), groupsOf(tail)];
  const between = tail === undefined ? 0 : Math.max(0, 8 - first.length - last.length);
  const groups = [...first, ...Array.from({ length: between }, () => '0'), ...last];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
