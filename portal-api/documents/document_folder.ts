import { randomUUID } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';

/** There is no room for a file, or no way to write one. */
export class FolderUnwritable extends Error {
  override readonly name = 'FolderUnwritable';
}

const NAME = /^(?<id>[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.sealed$/u;
const UNFINISHED = '.unfinished';

/** Where sealed documents lie, each in a file that is called by an id of ours. */
export class DocumentFolder {
  readonly #path: string;

  constructor(path: string) {
    this.#path = path;
  }

  /** All of it and for good, or nothing. Throws FolderUnwritable where the disk is full or away. */
  async write(id: string, bytes: Buffer): Promise<void> {
    const unfinished = join(this.#path, `${randomUUID()}${UNFINISHED}`);
    try {
      await mkdir(this.#path, { recursive: true, mode: 0o700 });
      await writeThrough(unfinished, bytes);
      await rename(unfinished, this.#fileOf(id));
      await syncFolder(this.#path);
    } catch (error) {
      await removeQuietly(unfinished);
      throw new FolderUnwritable(`The document ${id} could not be written.`, { cause: error });
    }
  }

  read(id: string): Promise<Buffer> {
    return readFile(this.#fileOf(id));
  }

  /** Nothing is left of it; it need not be there. */
  async remove(id: string): Promise<void> {
    await rm(this.#fileOf(id), { force: true });
  }

  /** The ids of files that were written before that moment. Removes what a process that died in the middle left there. */
  async listBefore(moment: Date): Promise<string[]> {
    const ids: string[] = [];
    for (const name of await namesIn(this.#path)) {
      const file = join(this.#path, name);
      const id = NAME.exec(name)?.groups?.['id'];
      const is_old = (await stat(file).catch(() => null))?.mtime.getTime() ?? Infinity;
      if (is_old >= moment.getTime()) continue;
      if (id !== undefined) ids.push(id);
      else if (name.endsWith(UNFINISHED)) await rm(file, { force: true });
    }
    return ids;
  }

  #fileOf(id: string): string {
    const name = `${id}.sealed`;
    if (!NAME.test(name)) throw new Error('A document is named by a UUID.');
    return join(this.#path, name);
  }
}

async function writeThrough(file: string, bytes: Buffer): Promise<void> {
  const handle = await open(file, 'wx', 0o600);
  try {
    await handle.writeFile(bytes);
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** A name is on the disk once its folder is. */
async function syncFolder(path: string): Promise<void> {
  const handle = await open(path, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** The folder is made by the first document. */
async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path);
  } catch (error) {
    if ((error as { code?: unknown }).code === 'ENOENT') return [];
    throw error;
  }
}

/** Whatever keeps a file from being written may keep it from being removed; the sweep tries again. */
async function removeQuietly(file: string): Promise<void> {
  await rm(file, { force: true }).catch(() => undefined);
}
