import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { errorCode } from '../outage.ts';
import { RECIPE } from './parts.ts';
import type { PartName } from './parts.ts';

const stampShape = z.object({
  recipe: z.number(),
  architecture: z.string(),
  parts: z.array(z.enum(['postgres', 'valkey', 'asterisk', 'sipp', 'faketime'])),
  versions: z.record(z.string(), z.string()),
});

/** Written last into a finished root: what is in it. */
export type Stamp = z.infer<typeof stampShape>;

const FILE = 'letsdial-root.json';

/** The stamp of the root in `folder`, or null when there is none that can be trusted. */
export async function readStamp(folder: string): Promise<Stamp | null> {
  try {
    const parsed = stampShape.safeParse(JSON.parse(await readFile(join(folder, FILE), 'utf8')));
    return parsed.success ? parsed.data : null;
  } catch (error) {
    // No root yet, or one whose stamp was cut off: it is built anew.
    if (errorCode(error) === 'ENOENT' || errorCode(error) === 'ENOTDIR' || error instanceof SyntaxError) return null;
    throw error;
  }
}

export async function writeStamp(folder: string, stamp: Stamp): Promise<void> {
  await writeFile(join(folder, FILE), `${JSON.stringify(stamp, null, 2)}\n`);
}

/** Whether a root with this stamp serves as it is. */
export function serves(stamp: Stamp | null, wanted: readonly PartName[], architecture: string): boolean {
  if (stamp?.recipe !== RECIPE || stamp.architecture !== architecture) return false;
  return wanted.every((part) => stamp.parts.includes(part));
}
