import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { Options } from '@node-rs/argon2';

type Done = { job: number; result: string | boolean } | { job: number; error: string };

interface Pending {
  resolve: (result: string | boolean) => void;
  reject: (error: Error) => void;
}

interface Thread {
  worker: Worker;
  pending: Map<number, Pending>;
}

/** Threads that hash passwords and give way to all others. They begin with the first password, and keep no process alive. */
export class HashingThreads {
  readonly #idle: Thread[] = [];
  #jobs = 0;

  async hash(password: string, cost: Options): Promise<string> {
    return String(await this.#run({ password, stored: null, cost }));
  }

  async verify(stored: string, password: string, cost: Options): Promise<boolean> {
    return (await this.#run({ password, stored, cost })) === true;
  }

  /** One job a thread; whoever asks sees to how many there are at once. */
  async #run(work: { password: string; stored: string | null; cost: Options }): Promise<string | boolean> {
    const thread = this.#idle.pop() ?? begin();
    this.#jobs += 1;
    const job = this.#jobs;
    thread.worker.ref();
    const done = new Promise<string | boolean>((resolve, reject) => thread.pending.set(job, { resolve, reject }));
    thread.worker.postMessage({ job, ...work });
    try {
      return await done;
    } finally {
      thread.worker.unref();
      if (thread.worker.threadId > 0) this.#idle.push(thread);
    }
  }
}

function begin(): Thread {
  const pending = new Map<number, Pending>();
  const worker = new Worker(threadFile(), { resourceLimits: { maxOldGenerationSizeMb: 32 } });
  worker.on('message', (done: Done) => {
    const one = pending.get(done.job);
    pending.delete(done.job);
    if ('error' in done) one?.reject(new Error(`A password could not be hashed: ${done.error}`));
    else one?.resolve(done.result);
  });
  const ended = (error: Error): void => {
    for (const { reject } of pending.values()) reject(error);
    pending.clear();
  };
  worker.on('error', ended);
  worker.on('exit', () => ended(new Error('The thread that hashes passwords ended.')));
  return { worker, pending };
}

const FILE = 'portal-api/sign_in/password_hashing_thread.js';

/** As a service we run from one compiled file, which lies elsewhere in the same checkout. */
function threadFile(): string {
  for (let folder = dirname(fileURLToPath(import.meta.url)); ; folder = dirname(folder)) {
    const file = join(folder, FILE);
    if (existsSync(file)) return file;
    if (folder === dirname(folder)) throw new Error(`${FILE} is not in this checkout.`);
  }
}
