import { isIPv6 } from 'node:net';
import { RateLimiterMemory, RateLimiterRedis, RateLimiterRes } from 'rate-limiter-flexible';
import type { RedisClient } from '../identity/bounded_redis.ts';
import { Problem } from './problem.ts';
import type { Pace } from './route.ts';

export type PaceLimits = Readonly<Record<Pace, { points: number; seconds: number }>>;

/** A process asks Redis for so small a part of what is allowed at once; where that is less than one, for each request. */
const LEASED_PART = 1 / 50;
const LEASES_MAX = 10_000;

/** What was taken from Redis in one turn and is not used up. */
interface Lease {
  left: number;
  until_ms: number;
}

/**
 * Bounds how often whoever asks may, over all processes by Redis. While Redis is away each process counts by itself, with a fraction of
 * what is allowed: nobody is locked out, and no secret becomes free to guess.
 *
 * Where much is allowed, points are taken some at a time, so that most requests ask Redis nothing. What is left of them when a process ends
 * is lost, a fiftieth of the limit at most.
 */
export class Pacing {
  readonly #limiters: ReadonlyMap<Pace, RateLimiterRedis>;
  readonly #leases = new Map<string, Lease>();
  /** What is being taken, by name: whoever comes meanwhile waits for it and spends from it. */
  readonly #taking = new Map<string, Promise<void>>();
  readonly #monotonic: () => number;

  constructor(redis: Pick<RedisClient, 'eval'>, limits: PaceLimits, monotonic: () => number) {
    this.#monotonic = monotonic;
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
    await Promise.all(whose.map((key) => this.#takeOne(limiter, pace, key)));
  }

  #spendLease(name: string): boolean {
    const lease = this.#leases.get(name);
    if (lease === undefined) return false;
    if (lease.left === 0 || lease.until_ms <= this.#monotonic()) {
      this.#leases.delete(name);
      return false;
    }
    lease.left -= 1;
    return true;
  }

  async #takeOne(limiter: RateLimiterRedis, pace: Pace, key: string): Promise<void> {
    const name = leaseOf(pace, key);
    const points = Math.max(1, Math.floor(limiter.points * LEASED_PART));
    // Of many that wait the first to come in vain takes the next ones, so that each turn lets one in at least.
    while (!this.#spendLease(name)) {
      const taking = this.#taking.get(name);
      if (taking === undefined || points === 1) return this.#consume(limiter, pace, key, points);
      await taking;
    }
  }

  /** Takes one point for whoever asks, and the others for whoever comes then. */
  async #consume(limiter: RateLimiterRedis, pace: Pace, key: string, points: number): Promise<void> {
    const name = leaseOf(pace, key);
    const taking = limiter.consume(key, points).then(
      ({ msBeforeNext }) => {
        if (points > 1) this.#keep(name, { left: points - 1, until_ms: this.#monotonic() + msBeforeNext });
      },
      (refused: unknown) => {
        throw refused instanceof RateLimiterRes ? tooMany(refused) : refused;
      },
    );
    if (points === 1) return taking;
    const taken = taking.finally(() => this.#taking.delete(name));
    this.#taking.set(name, taken);
    return taken;
  }

  #keep(name: string, lease: Lease): void {
    // The oldest go first; whoever comes again takes new ones.
    for (const oldest of this.#leases.keys()) {
      if (this.#leases.size < LEASES_MAX) break;
      this.#leases.delete(oldest);
    }
    this.#leases.set(name, lease);
  }
}

function tooMany({ msBeforeNext }: RateLimiterRes): Problem {
  const retry_after_seconds = Math.max(1, Math.ceil(msBeforeNext / 1000));
  return new Problem('too_many', `Wait ${retry_after_seconds} s and ask again.`, { retry_after_seconds });
}

const leaseOf = (pace: Pace, key: string): string => `${pace}:${key}`;

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
