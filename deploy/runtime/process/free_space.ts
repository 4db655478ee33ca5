import { statfs } from 'node:fs/promises';
import { Outage } from '../outage.ts';

const MB = 1_000_000;

/** Throws an `Outage` when the disk under `folder` has less than `wanted_mb` free for an ordinary user. */
export async function requireSpace(folder: string, wanted_mb: number): Promise<void> {
  const disk = await statfs(folder);
  const free_mb = Math.floor((disk.bavail * disk.bsize) / MB);
  if (free_mb >= wanted_mb) return;
  throw new Outage(
    `Only ${free_mb} MB are free under ${folder} and ${wanted_mb} MB are needed, so nothing was begun: free some space, or name another folder in LETSDIAL_HOME.`,
  );
}

/** The sentence for a disk that filled up while something was being written. */
export function diskFull(folder: string, doing: string): Outage {
  return new Outage(
    `The disk under ${folder} is full, so ${doing} could not be finished: free some space, or name another folder in LETSDIAL_HOME, and start again.`,
  );
}
