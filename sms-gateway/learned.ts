import { setTimeout as wait } from 'node:timers/promises';
import type { Logger } from 'pino';

/** Something that a gateway learns while it runs, and the next one is to know. */
export interface Learning {
  load(): Promise<void>;
  /** What changed since the last time. */
  save(): Promise<void>;
}

/** What this gateway has learned: read when it has the lease, saved now and then and when it ends. */
export class Learned {
  readonly #all: readonly Learning[];
  readonly #log: Logger;

  constructor(all: readonly Learning[], log: Logger) {
    this.#all = all;
    this.#log = log;
  }

  async load(): Promise<void> {
    for (const one of this.#all) await one.load();
  }

  async save(): Promise<void> {
    for (const one of this.#all) await one.save();
  }

  /** As far as that is done within this time: a database that is away, or silent, is not waited for. */
  async leave(within_ms: number): Promise<void> {
    const saving = Promise.allSettled(this.#all.map((one) => one.save()));
    const saved = await Promise.race([saving, wait(within_ms, [], { ref: false })]);
    for (const one of saved) {
      if (one.status === 'rejected') this.#log.warn({ err: one.reason as unknown }, 'what was learned is not saved');
    }
  }
}
