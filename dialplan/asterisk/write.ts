import { chmod, mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { AsteriskOptions } from './options.ts';
import { VOICEMAIL } from './contract.ts';
import { renderAsterisk } from './render.ts';

/** Writes each file beside its place and renames it, readable by its owner alone: it may hold a password. */
export async function writeFiles(directory: string, files: ReadonlyMap<string, string>): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  for (const [name, content] of files) {
    const fresh = join(directory, `${name}.new`);
    await writeFile(fresh, content, { mode: 0o600 });
    // An older file of that name may have kept a wider mode.
    await chmod(fresh, 0o600);
    await rename(fresh, join(directory, name));
  }
}

/** Writes the configuration and makes the folders Asterisk expects to find. */
export async function writeAsterisk(directory: string, options: AsteriskOptions): Promise<void> {
  const { spool, run, log, database } = options.directories;
  const mailboxes = [join(spool, VOICEMAIL.greetings), join(spool, VOICEMAIL.messages)];
  for (const folder of [spool, ...mailboxes, run, log, database, dirname(options.cdr_file)]) {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  }
  await writeFiles(directory, renderAsterisk(options));
}
