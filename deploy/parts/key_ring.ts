import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../runtime/outage.ts';

/**
 * The file of secrets that the portal seals personal data by, made once. Who loses it loses that data; who has it and a backup of the
 * database can read it, so the two are kept apart.
 */
export async function keptKeyRing(file: string): Promise<string> {
  try {
    await readFile(file);
    return file;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  const secret = (): string => randomBytes(32).toString('base64');
  const ring = { keks: [{ id: 'kek-1', secret_base64: secret() }], index_secret_base64: secret() };
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${JSON.stringify(ring)}\n`, { mode: 0o600 });
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
  return file;
}
