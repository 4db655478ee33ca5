import { createHash } from 'node:crypto';
import { chmod, lstat, mkdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Outage } from '../outage.ts';

/** sun_path holds 108 bytes with the closing zero (unix(7)); the longest name put there is `.s.PGSQL.65535.lock`. */
const SOCKET_FOLDER_BYTES_MAX = 107 - '/.s.PGSQL.65535.lock'.length;

/**
 * The folder for Unix sockets and pid files of `home`: `run` inside it, or, where that path is too long for a socket,
 * one of its own in the machine's temporary folder. Made with mode 0700; another user's folder of that name is refused.
 */
export async function runDirectory(home: string): Promise<string> {
  const folder = runDirectoryPath(home, tmpdir());
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const found = await lstat(folder);
  if (!found.isDirectory() || (process.getuid !== undefined && found.uid !== process.getuid())) {
    throw new Outage(
      `${folder} belongs to another user, so no socket can be put there: remove it, or name another folder in LETSDIAL_HOME.`,
    );
  }
  await chmod(folder, 0o700);
  return folder;
}

export function runDirectoryPath(home: string, temporary: string): string {
  const inside = join(home, 'run');
  if (Buffer.byteLength(inside) <= SOCKET_FOLDER_BYTES_MAX) return inside;
  return join(temporary, `letsdial-${createHash('sha256').update(home).digest('hex').slice(0, 16)}`);
}
