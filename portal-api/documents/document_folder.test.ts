import { randomUUID } from 'node:crypto';
import { mkdtemp, open, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DocumentFolder, FolderUnwritable } from './document_folder.ts';
import { sealDocument, unsealDocument } from './sealed_document.ts';

let home: string;
let folder: DocumentFolder;

beforeEach(async () => {
  home = await mkdtemp(join(tmpdir(), 'letsdial-documents-'));
  folder = new DocumentFolder(join(home, 'documents'));
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(home, { recursive: true, force: true });
});

/** The next time a file is to be on the disk, there is no room. */
async function fillDisk(): Promise<void> {
  const handle = await open(join(home, 'any'), 'w');
  const methods = Object.getPrototypeOf(handle) as { sync: () => Promise<void> };
  await handle.close();
  const full = Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
  vi.spyOn(methods, 'sync').mockRejectedValueOnce(full);
}

describe('the folder of documents', () => {
  it('keeps a file for the operator’s eyes alone, and removes it', async () => {
    const id = randomUUID();
    await folder.write(id, Buffer.from('sealed'));
    expect((await folder.read(id)).toString()).toBe('sealed');
    expect((await stat(join(home, 'documents', `${id}.sealed`))).mode & 0o077).toBe(0);
    await folder.remove(id);
    await folder.remove(id);
    expect(await readdir(join(home, 'documents'))).toEqual([]);
  });

  it('leaves nothing half-written on a full disk', async () => {
    await fillDisk();
    await expect(folder.write(randomUUID(), Buffer.alloc(1_000))).rejects.toThrow(FolderUnwritable);
    expect(await readdir(join(home, 'documents'))).toEqual([]);
    await folder.write(randomUUID(), Buffer.alloc(1_000));
    expect(await readdir(join(home, 'documents'))).toHaveLength(1);
  });

  it('says so where it cannot be written to at all', async () => {
    await writeFile(join(home, 'a file'), '');
    const elsewhere = new DocumentFolder(join(home, 'a file', 'documents'));
    await expect(elsewhere.write(randomUUID(), Buffer.alloc(1))).rejects.toThrow(FolderUnwritable);
  });

  it('is left by no name', async () => {
    for (const id of ['../x', '/etc/passwd', `${randomUUID()}/../..`, '', 'a\0b']) {
      await expect(folder.write(id, Buffer.alloc(1))).rejects.toThrow();
      expect(() => folder.read(id)).toThrow('named by a UUID');
    }
    expect(await readdir(home)).toEqual(['documents']);
  });
});

describe('a sealed document', () => {
  const key = Buffer.alloc(32, 1);
  const id = randomUUID();
  const pages = [Buffer.from('one'), Buffer.from('twotwo')];

  it('opens with its account’s key as the pages that it was', () => {
    const sealed = sealDocument(key, id, pages);
    expect(unsealDocument(key, id, sealed).map(String)).toEqual(['one', 'twotwo']);
    expect(sealed.file.includes('twotwo')).toBe(false);
  });

  it('opens with no other key, as no other document, and not where a bit of it was changed', () => {
    const sealed = sealDocument(key, id, pages);
    const file = Buffer.from(sealed.file);
    file[20] = (file[20] ?? 0) ^ 1;
    expect(() => unsealDocument(Buffer.alloc(32, 2), id, sealed)).toThrow();
    expect(() => unsealDocument(key, randomUUID(), sealed)).toThrow();
    expect(() => unsealDocument(key, id, { ...sealed, file })).toThrow();
  });
});
