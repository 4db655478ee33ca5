import { setImmediate, setTimeout as wait } from 'node:timers/promises';

/** The database did not take a batch; nothing is known about whether it was carried out. */
export class Outage extends Error {
  override readonly name = 'Outage';

  /** Whether an error is that the database is away, and not that something was wrong with what it was asked. */
  static is(error: unknown): boolean {
    return error instanceof Outage || isOutage(error);
  }
}

/** SQLSTATE classes of a server that is gone, full or going down (PostgreSQL 18, appendix A), against errors of one item. */
const OUTAGE_CLASSES = new Set(['08', '53', '57', '58', '25', '40']);

/** Two digits or letters, then three. EPIPE and others of the system have five letters as well, but no class begins with an E. */
const SQLSTATE = /^[0-9A-DF-Z][0-9A-Z]{4}$/u;

function isOutage(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  // Without an SQLSTATE the error is the connection's own.
  return typeof code !== 'string' || !SQLSTATE.test(code) || OUTAGE_CLASSES.has(code.slice(0, 2));
}

/**
 * Collects items while a batch is under way and sends them together when it is done: the busier, the larger the batches,
 * and an idle system waits for nobody, save where lingering was asked for. One batch at a time, so a hot wallet's row is never fought over.
 *
 * An item that makes its whole batch fail is found by sending all of them singly.
 */
export class Batch<Item, Answer> {
  readonly #run: (items: readonly Item[]) => Promise<readonly Answer[]>;
  readonly #size_max: number;
  readonly #linger_ms: number;
  readonly #pace_ms: number;
  /** Resolves when the next batch may begin. */
  #paced: Promise<void> = Promise.resolve();
  #waiting: { item: Item; resolve: (answer: Answer) => void; reject: (error: Error) => void }[] = [];
  #busy = false;
  #is_hurried = false;
  #stopGathering: () => void = () => undefined;

  /**
   * @param linger_ms how long the first item waits for others. 0 for what a caller waits for; what has seconds of time, as a
   * renewal has, costs the database and this process far less in company.
   * @param pace_ms how soon after the begin of one batch the next may begin. Who comes alone still waits for nobody; who comes in
   * a crowd waits a moment and is answered in company, and all that follows from the answers is in company as well.
   */
  constructor(
    run: (items: readonly Item[]) => Promise<readonly Answer[]>,
    { size_max = 256, linger_ms = 0, pace_ms = 0 }: { size_max?: number; linger_ms?: number; pace_ms?: number } = {},
  ) {
    this.#run = run;
    this.#size_max = size_max;
    this.#linger_ms = linger_ms;
    this.#pace_ms = pace_ms;
  }

  get length(): number {
    return this.#waiting.length;
  }

  /** Rejects with `Outage` when the database is away, with the database's own error when the item is at fault. */
  push(item: Item): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (this.#waiting.length >= this.#size_max) this.#stopGathering();
      if (this.#busy) return;
      this.#busy = true;
      void this.#drain();
    });
  }

  /** Somebody waits for what was pushed so far: it lingers no longer. */
  hurry(): void {
    if (this.#waiting.length === 0) return;
    this.#is_hurried = true;
    this.#stopGathering();
  }

  /** Until the batch is full, its time has passed, or it is hurried. What arrives in the same turn of the event loop belongs together. */
  async #gather(): Promise<void> {
    if (this.#linger_ms === 0 || this.#is_hurried) await setImmediate();
    else if (this.#waiting.length < this.#size_max) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, this.#linger_ms);
        this.#stopGathering = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }
  }

  async #drain(): Promise<void> {
    while (this.#waiting.length > 0) {
      await this.#gather();
      await this.#paced;
      const batch = this.#waiting.splice(0, this.#size_max);
      // Who comes alone is no crowd, and the next one to come after the answer need not wait either.
      if (this.#pace_ms > 0 && batch.length > 1) this.#paced = wait(this.#pace_ms);
      this.#is_hurried &&= this.#waiting.length > 0;
      try {
        this.#answer(batch, await this.#run(batch.map((entry) => entry.item)));
      } catch (error) {
        if (isOutage(error)) {
          const outage = new Outage('The database is away.', { cause: error });
          for (const entry of batch) entry.reject(outage);
        } else {
          await this.#singly(batch);
        }
      }
    }
    this.#busy = false;
  }

  #answer(
    batch: readonly { resolve: (answer: Answer) => void; reject: (error: Error) => void }[],
    answers: readonly Answer[],
  ): void {
    batch.forEach((entry, n) => {
      if (n < answers.length) entry.resolve(answers[n] as Answer);
      else entry.reject(new Error('The batch answered fewer items than it was given.'));
    });
  }

  async #singly(
    batch: readonly { item: Item; resolve: (answer: Answer) => void; reject: (error: Error) => void }[],
  ): Promise<void> {
    for (const entry of batch) {
      try {
        this.#answer([entry], await this.#run([entry.item]));
      } catch (error) {
        const cause = error instanceof Error ? error : new Error(String(error));
        entry.reject(isOutage(error) ? new Outage('The database is away.', { cause }) : cause);
      }
    }
  }
}
