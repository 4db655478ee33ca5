import { inOwnServers } from './in_own_servers.ts';
import type { AtOwnServers, OwnServersOptions } from './in_own_servers.ts';
import { TextWorld } from './text_world.ts';
import type { TextWorldOptions } from './text_world.ts';

export interface OwnTextWorldOptions extends OwnServersOptions {
  world: Omit<TextWorldOptions, 'database_url' | 'redis_url'>;
}

export interface AtWork extends AtOwnServers {
  world: TextWorld;
}

/** Lets a command work on a world of texts with servers of its own, all of which end with it. */
export async function inOwnTextWorld<T>(
  { world: wishes, ...frame }: OwnTextWorldOptions,
  work: (at_work: AtWork) => Promise<T>,
): Promise<T> {
  return inOwnServers(frame, async (at) => {
    const urls = { database_url: at.servers.postgres.url, redis_url: at.servers.valkey.url };
    const world = await TextWorld.begin({ ...wishes, ...urls });
    try {
      return await work({ ...at, world });
    } finally {
      await world.end();
    }
  });
}
