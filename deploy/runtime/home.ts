import { mkdir } from 'node:fs/promises';
import { requireSpace } from './process/free_space.ts';

/** What a start writes at its least, in the write-ahead log of Postgres, with something to spare for the first logs. */
const RUNNING_MB = 200;

/** Makes the folder of everything that is written, and refuses one on a disk that would be full in the middle of a call. */
export async function prepareHome(home: string, needed_mb: number = RUNNING_MB): Promise<void> {
  await mkdir(home, { recursive: true });
  await requireSpace(home, needed_mb);
}
