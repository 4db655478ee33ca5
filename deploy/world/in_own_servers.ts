import { install } from '../runtime/install.ts';
import type { Programs } from '../runtime/machine/programs.ts';
import { showProgress } from '../runtime/progress.ts';
import type { Screen } from '../runtime/progress.ts';
import { deploySettings } from '../settings.ts';
import { interruption } from './interruption.ts';
import { OwnServers } from './own_servers.ts';

export interface OwnServersOptions {
  /** A program reads what is printed, so that a person hears nothing. */
  json: boolean;
  /** What a person hears once all programs are there. */
  opening: string;
}

export interface AtOwnServers {
  programs: Programs;
  servers: OwnServers;
  /** For what takes long. */
  screen: Screen;
  /** To a person. */
  say: (line: string) => void;
  /** Rejects with `Interrupted` when somebody ends the command; to be raced by whatever takes long. */
  interrupted: Promise<never>;
}

/** Lets a command work with a Postgres and a Valkey of its own, which end with it. */
export async function inOwnServers<T>(
  { json, opening }: OwnServersOptions,
  work: (at: AtOwnServers) => Promise<T>,
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
    return await work({ programs, servers, screen, say, interrupted });
  } finally {
    await servers.end();
  }
}
