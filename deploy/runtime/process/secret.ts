import { randomBytes } from 'node:crypto';
import { chmod, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { errorCode } from '../outage.ts';

/** A password that is made once and kept in `file`, readable by its owner alone. Letters and digits only. */
export async function keptSecret(file: string): Promise<string> {
  try {
    const kept = (await readFile(file, 'utf8')).trim();
    if (kept !== '') return kept;
  } catch (error) {
    if (errorCode(error) !== 'ENOENT') throw error;
  }
  const fresh = randomBytes(24).toString('hex');
  await mkdir(dirname(file), { recursive: true });
  await writeFile(`${file}.new`, `${fresh}\n`, { mode: 0o600 });
  await chmod(`${file}.new`, 0o600);
  await rename(`${file}.new`, file);
  return fresh;
}
