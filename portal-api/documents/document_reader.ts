import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { kindOf } from './document_kind.ts';
import type { DocumentKind } from './document_kind.ts';

const REFUSALS = [
  ...(['empty', 'unknown_kind', 'heic', 'unreadable', 'too_many_pixels', 'too_small', 'animated'] as const),
  ...(['locked', 'no_pages', 'too_many_pages', 'too_much', 'too_slow'] as const),
] as const;
export type Refusal = (typeof REFUSALS)[number];

export type ReadDocument =
  | { kind: 'pages'; pages: readonly Buffer[] }
  | { kind: 'refused'; refusal: Refusal }
  /** So many wait already that this one would wait too long. */
  | { kind: 'busy' };

export interface DocumentReaderOptions {
  /** How many files are read at once, each in a process of its own. */
  readers_max: number;
  waiting_max: number;
  /** A file that takes longer was made to; that its process has to start first is not the file's fault. */
  read_ms: number;
  /** After so long without work a process is ended. */
  idle_ms: number;
}

const DEFAULTS: DocumentReaderOptions = { readers_max: 2, waiting_max: 20, read_ms: 15_000, idle_ms: 30_000 };

const answerSchema = z.object({
  job: z.number(),
  pages: z.array(z.instanceof(Uint8Array)).optional(),
  refusal: z.enum(REFUSALS).optional(),
});

/** What a process says of itself once it has started, before any answer. */
const READY = 'ready';

interface Reader {
  child: ChildProcess;
  /** Its decoders are loaded. */
  is_ready: boolean;
  read_count: number;
  idle: NodeJS.Timeout | null;
}

/** A process that has read so many files is replaced, so that nothing one of them left behind is there for long. */
const READS_MAX = 50;
/** A process that has not started by then never will. */
const START_MS = 15_000;

/**
 * Makes pages, each a JPEG of our own, of what a customer uploads. Decoders are where hostile files strike: they run in processes that
 * have no environment and no connection, are bounded in time and memory, and are killed where they go beyond.
 */
export class DocumentReader {
  readonly #options: DocumentReaderOptions;
  readonly #free: Reader[] = [];
  readonly #waiting: (() => void)[] = [];
  #busy_count = 0;
  #jobs = 0;

  constructor(options: Partial<DocumentReaderOptions> = {}) {
    this.#options = { ...DEFAULTS, ...options };
  }

  async read(bytes: Buffer): Promise<ReadDocument> {
    if (bytes.length === 0) return { kind: 'refused', refusal: 'empty' };
    const kind = kindOf(bytes);
    if (kind === null) return { kind: 'refused', refusal: 'unknown_kind' };
    if (kind === 'heic') return { kind: 'refused', refusal: 'heic' };
    if (!(await this.#takeTurn())) return { kind: 'busy' };
    const reader = this.#take();
    const read = await this.#readBy(reader, kind, bytes);
    this.#give(reader, isSound(read));
    return read;
  }

  async #takeTurn(): Promise<boolean> {
    if (this.#busy_count < this.#options.readers_max) {
      this.#busy_count += 1;
      return true;
    }
    if (this.#waiting.length >= this.#options.waiting_max) return false;
    // Whoever ends hands the turn on, so that it stays counted.
    await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return true;
  }

  #take(): Reader {
    const reader = this.#free.pop() ?? { child: startChild(), is_ready: false, read_count: 0, idle: null };
    if (reader.idle !== null) clearTimeout(reader.idle);
    return reader;
  }

  #give(reader: Reader, is_sound: boolean): void {
    reader.read_count += 1;
    if (!is_sound || reader.read_count >= READS_MAX || reader.child.exitCode !== null) reader.child.kill('SIGKILL');
    else {
      this.#free.push(reader);
      reader.idle = setTimeout(() => this.#end(reader), this.#options.idle_ms).unref();
    }
    const next = this.#waiting.shift();
    if (next === undefined) this.#busy_count -= 1;
    else next();
  }

  #end(reader: Reader): void {
    const at = this.#free.indexOf(reader);
    if (at >= 0) this.#free.splice(at, 1);
    reader.child.kill('SIGKILL');
  }

  #readBy(reader: Reader, kind: DocumentKind, bytes: Buffer): Promise<ReadDocument> {
    const job = (this.#jobs += 1);
    const { child } = reader;
    return new Promise((resolve) => {
      const answer = (read: ReadDocument): void => {
        clearTimeout(late);
        child.off('exit', onExit).off('message', onMessage);
        resolve(read);
      };
      const onExit = (): void => answer({ kind: 'refused', refusal: 'unreadable' });
      const tooSlow = (): void => answer({ kind: 'refused', refusal: 'too_slow' });
      const onMessage = (message: unknown): void => {
        // Once: a process that a file has taken over gets no more time by saying so again.
        if (message !== READY || reader.is_ready) return answer(readOf(job, message));
        reader.is_ready = true;
        clearTimeout(late);
        late = setTimeout(tooSlow, this.#options.read_ms);
      };
      let late = setTimeout(tooSlow, reader.is_ready ? this.#options.read_ms : START_MS);
      child.once('exit', onExit).on('message', onMessage);
      child.send({ job, kind, bytes }, (error) => {
        if (error !== null) onExit();
      });
    });
  }
}

/** Where a decoder gave up, or was given up, it may be in any state; what was refused by its header was never decoded. */
function isSound(read: ReadDocument): boolean {
  return (
    read.kind === 'pages' || (read.kind === 'refused' && read.refusal !== 'unreadable' && read.refusal !== 'too_slow')
  );
}

/** What a process says that reads hostile files is itself not to be believed before it is looked at. */
function readOf(job: number, message: unknown): ReadDocument {
  const parsed = answerSchema.safeParse(message);
  if (!parsed.success || parsed.data.job !== job) return { kind: 'refused', refusal: 'unreadable' };
  const { pages, refusal } = parsed.data;
  const jpegs = pages?.map((page) => Buffer.from(page)) ?? [];
  if (refusal !== undefined || jpegs.length === 0 || !jpegs.every((page) => kindOf(page) === 'jpeg')) {
    return { kind: 'refused', refusal: refusal ?? 'unreadable' };
  }
  return { kind: 'pages', pages: jpegs };
}

function startChild(): ChildProcess {
  const child = fork(mainFile(), {
    execArgv: ['--max-old-space-size=256'],
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
  // Whoever waits for it hears of its end; a failed send is told to who sent.
  child.on('error', () => undefined);
  // It ends with us, and does not keep us.
  child.unref();
  child.channel?.unref();
  return child;
}

const MAIN = 'portal-api/documents/decoder/decoder_main.js';

/** As a service we run from one compiled file, which lies elsewhere in the same checkout. */
function mainFile(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, MAIN);
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) throw new Error(`${MAIN} is not in this checkout.`);
  }
}
