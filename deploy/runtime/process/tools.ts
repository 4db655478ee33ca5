import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';
import { errorCode, Outage } from '../outage.ts';

/** Folders that hold system programs but are not on every user's PATH. */
const SYSTEM_FOLDERS = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** The absolute path of a program on PATH or among the system's, or null. */
export async function findTool(name: string): Promise<string | null> {
  const folders = (process.env['PATH'] ?? '').split(delimiter).filter((folder) => folder !== '');
  for (const folder of [...folders, ...SYSTEM_FOLDERS]) {
    const file = join(folder, name);
    if (await executable(file)) return file;
  }
  return null;
}

export async function executable(file: string): Promise<boolean> {
  try {
    await access(file, constants.X_OK);
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === 'ENOENT' || code === 'EACCES' || code === 'ENOTDIR') return false;
    throw error;
  }
}

/** Throws an `Outage` naming every tool of `names` that this machine lacks. */
export async function requireTools(names: readonly string[]): Promise<void> {
  const missing: string[] = [];
  for (const name of names) if ((await findTool(name)) === null) missing.push(name);
  if (missing.length === 0) return;
  throw new Outage(
    `The tools ${missing.join(', ')} are not on this machine, so the missing programs cannot be fetched: install them (Debian and Ubuntu have them), or point DATABASE_URL, REDIS_URL and ASTERISK_ARI_URL at running servers.`,
  );
}
