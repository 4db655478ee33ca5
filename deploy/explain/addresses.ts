import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';

const addressesSchema = z.object({ database_url: z.string() });

/** Where the Postgres of a Letsdial that was started out of `home` listens; null when none ever was. */
export async function databaseUrlOf(home: string): Promise<string | null> {
  try {
    const text = await readFile(join(home, 'addresses.json'), 'utf8');
    return addressesSchema.parse(JSON.parse(text)).database_url;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}
