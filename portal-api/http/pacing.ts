import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import { Problem } from './problem.ts';
import type { Pace } from './route.ts';

export type PaceLimits = Readonly<Record<Pace, { points: number; seconds: number }>>;

/**
 * Bounds how often whoever asks may, over all processes by Redis. While Redis is away each process counts by itself, with a fraction of
 * what is allowed: nobody is locked out, and no secret becomes free to guess.
 */
export class Pacing {
  readonly #limiters: ReadonlyMap<Pace, RateLimiterRedis>;

  /** @param redis a client of the package redis. */
  constructor(redis: unknown, limits: PaceLimits) {
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
    for (const key of whose) {
      try {
        await limiter.consume(key);
      } catch (refused) {
        if (!(refused instanceof RateLimiterRes)) throw refused;
        const retry_after_seconds = Math.max(1, Math.ceil(refused.msBeforeNext / 1000));
        throw new Problem('too_many', `Wait ${retry_after_seconds} s and ask again.`, { retry_after_seconds });
      }
    }
  }
}
