import { inject } from 'vitest';
import { freshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { World } from './world.ts';
import type { WorldOptions } from './world.ts';

/** A world over a database and a Redis of its own, for one test file. */
export async function testWorld(
  options: Omit<WorldOptions, 'programs' | 'database_url' | 'redis_url'> = {},
): Promise<{ world: World; end: () => Promise<void> }> {
  const database = await freshDatabase();
  const redis = await freshRedis();
  const world = await World.begin({
    ...options,
    programs: inject('programs'),
    database_url: database.url,
    redis_url: redis.url,
  });
  return {
    world,
    end: async () => {
      await world.end();
      await database.drop();
    },
  };
}
