import { install } from '../runtime/install.ts';
import { showProgress } from '../runtime/progress.ts';
import type { Screen } from '../runtime/progress.ts';
import { deploySettings } from '../settings.ts';
import { interruption } from './interruption.ts';
import { OwnServers } from './own_servers.ts';
import { TextWorld } from './text_world.ts';
import type { TextWorldOptions } from './text_world.ts';

export interface OwnTextWorldOptions {
  /** A program reads what is printed, so that a person hears nothing. */
  json: boolean;
  /** What a person hears once all programs are there. */
  opening: string;
  world: Omit<TextWorldOptions, 'database_url' | 'redis_url'>;
}

export interface AtWork {
  world: TextWorld;
  /** To a person. */
  say: (line: string) => void;
  /** Rejects with `Interrupted` when somebody ends the command; to be raced by whatever takes long. */
  interrupted: Promise<never>;
}

/** Lets a command work on a world of texts with servers of its own, all of which end with it. */
export async function inOwnTextWorld<T>(
  { json, opening, world: wishes }: OwnTextWorldOptions,
  work: (at_work: AtWork) => Promise<T>,
): Promise<T> {
  const interrupted = interruption();
  // Heard by each step that takes long; in between nobody waits for it.
  interrupted.catch(() => undefined);
  const say = (line: string): void => {
    if (!json) console.log(line);
  };
  const { home, cache, mirror } = deploySettings(process.env);
  const screen: Screen = json ? { write: () => true } : process.stdout;
  const progress = showProgress(screen, Date.now);
  const programs = await install({ home, cache, mirror, prefer: 'private', elsewhere: [], progress });
  say(opening);
  const servers = await OwnServers.begin(programs);
  try {
    const urls = { database_url: servers.postgres.url, redis_url: servers.valkey.url };
    const world = await TextWorld.begin({ ...wishes, ...urls });
    try {
      return await work({ world, say, interrupted });
    } finally {
      await world.end();
    }
  } finally {
    await servers.end();
  }
}
