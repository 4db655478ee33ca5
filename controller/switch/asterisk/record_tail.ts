import { watch } from 'node:fs';
import type { FSWatcher } from 'node:fs';
import { open, readdir, stat } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';
import { basename, dirname, join } from 'node:path';
import type { SwitchRecord } from '../switch.ts';
import { parseRecordLine } from './record_line.ts';

const CHUNK_BYTES = 256 * 1024;
/** The file system tells of changes at once; this bounds the wait should it ever not (network file systems do not). */
const POLL_MS = 500;
/** A write is told several times over, and on a busy switch the next one follows at once: one look serves them all. */
const GATHER_MS = 30;

export interface RecordTailListener {
  record: (record: SwitchRecord) => void;
  /** A line that is no record, or a file that cannot be read: told, and reading goes on. */
  problem: (error: Error) => void;
}

/** `<inode>:<byte offset>`: where the next line begins, in which file, however that file is called by now. */
function parsePosition(position: string | null): { inode: bigint; offset: number } | null {
  if (position === null) return null;
  const match = /^(\d+):(\d+)$/u.exec(position);
  if (match === null) throw new Error(`"${position}" is not a position in the switch's record file.`);
  return { inode: BigInt(match[1] ?? ''), offset: Number(match[2]) };
}

/**
 * Follows the file the switch appends its records to. A rotated file is read to its end before the new one is begun;
 * a truncated file is read from its beginning; a last line without its end waits for the rest.
 */
export class RecordTail {
  readonly #path: string;
  readonly #listener: RecordTailListener;
  #position: { inode: bigint; offset: number } | null;
  #handle: FileHandle | null = null;
  #watcher: FSWatcher | null = null;
  #timer: NodeJS.Timeout | null = null;
  #reading: Promise<void> = Promise.resolve();
  #wanted = false;
  #stopped = false;

  constructor(path: string, position: string | null, listener: RecordTailListener) {
    this.#path = path;
    this.#position = parsePosition(position);
    this.#listener = listener;
  }

  /** Resolves when everything that was already there has been told. */
  async start(): Promise<void> {
    this.#watcher = watch(dirname(this.#path), () => this.#wake(GATHER_MS));
    this.#watcher.on('error', (error) => this.#listener.problem(error));
    this.#timer = setInterval(() => this.#wake(0), POLL_MS);
    this.#wake(0);
    await this.#reading;
  }

  async stop(): Promise<void> {
    this.#stopped = true;
    this.#watcher?.close();
    if (this.#timer !== null) clearInterval(this.#timer);
    await this.#reading;
    await this.#handle?.close();
    this.#handle = null;
  }

  /** One reader at a time; a change during a read makes it look once more. */
  #wake(gather_ms: number): void {
    if (this.#stopped || this.#wanted) return;
    this.#wanted = true;
    this.#reading = this.#reading.then(async () => {
      if (gather_ms > 0) await wait(gather_ms);
      this.#wanted = false;
      if (this.#stopped) return;
      await this.#read().catch((error: unknown) => {
        this.#listener.problem(error instanceof Error ? error : new Error(String(error)));
      });
    });
  }

  async #read(): Promise<void> {
    this.#handle ??= await this.#openAtPosition();
    if (this.#handle === null) return;
    await this.#drain(this.#handle);
    const now = await stat(this.#path, { bigint: true }).catch(ignoreMissing);
    if (now === null || now.ino === this.#position?.inode) return;
    // Renamed away: what was written between our last read and the rename is still read from the old file.
    await this.#drain(this.#handle);
    await this.#handle.close();
    this.#handle = null;
    this.#position = null;
    await this.#read();
  }

  /** The file of the stored position, under whatever name; else the current file from its beginning. Null before there is one. */
  async #openAtPosition(): Promise<FileHandle | null> {
    const names = this.#position === null ? [] : await readdir(dirname(this.#path));
    const rotated = names.filter((name) => name.startsWith(basename(this.#path)));
    for (const path of [this.#path, ...rotated.map((name) => join(dirname(this.#path), name))]) {
      const handle = await open(path, 'r').catch(ignoreMissing);
      if (handle === null) continue;
      const { ino } = await handle.stat({ bigint: true });
      if (this.#position === null) this.#position = { inode: ino, offset: 0 };
      if (this.#position.inode === ino) return handle;
      await handle.close();
    }
    if (this.#position === null) return null;
    this.#listener.problem(
      new Error(
        `The switch's record file of position ${this.#position.inode}:${this.#position.offset} is gone. Records between it and ` +
          `the beginning of ${basename(this.#path)} are lost; calls without a record are settled from the last proof of life.`,
      ),
    );
    this.#position = null;
    return await this.#openAtPosition();
  }

  async #drain(handle: FileHandle): Promise<void> {
    const at = this.#position;
    if (at === null) return;
    const { size } = await handle.stat();
    if (size < at.offset) at.offset = 0;
    const buffer = Buffer.alloc(Math.min(CHUNK_BYTES, Math.max(1, size - at.offset)));
    while (at.offset < size) {
      const { bytesRead } = await handle.read(buffer, 0, buffer.length, at.offset);
      const end = buffer.subarray(0, bytesRead).lastIndexOf(0x0a);
      if (end < 0) return;
      this.#tellLines(buffer.subarray(0, end + 1), at);
    }
  }

  #tellLines(lines: Buffer, at: { inode: bigint; offset: number }): void {
    for (let from = 0; from < lines.length;) {
      const end = lines.indexOf(0x0a, from);
      at.offset += end + 1 - from;
      try {
        const record = parseRecordLine(lines.toString('utf8', from, end), `${at.inode}:${at.offset}`);
        if (record !== null) this.#listener.record(record);
      } catch (error) {
        this.#listener.problem(error instanceof Error ? error : new Error(String(error)));
      }
      from = end + 1;
    }
  }
}

function ignoreMissing(error: unknown): null {
  if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
  throw error;
}
