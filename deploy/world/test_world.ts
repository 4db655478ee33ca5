import { inject } from 'vitest';
import type { Programs } from '../runtime/machine/programs.ts';
import { freshDatabase } from '../testing/database.ts';
import { freshRedis } from '../testing/redis.ts';
import { World } from './world.ts';
import type { WorldOptions } from './world.ts';

/** A world over a database and a Redis of its own, for one test file. */
export async function testWorld(
  options: Omit<WorldOptions, 'programs' | 'database_url' | 'redis_url'> & { programs?: Programs } = {},
): Promise<{ world: World; end: () => Promise<void> }> {
  const database = await freshDatabase();
  const redis = await freshRedis();
  const world = await World.begin({
    programs: inject('programs'),
    ...options,
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
