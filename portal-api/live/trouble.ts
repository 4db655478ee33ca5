import type { Logger } from 'pino';

/** What is tried each second and may fail for minutes: the log says when that begins, and when it is over. */
export class Trouble {
  readonly #log: Logger;
  /** Of the first failure: `what is live could not be looked at`. */
  readonly #words: string;
  #failures = 0;

  constructor(log: Logger, words: string) {
    this.#log = log;
    this.#words = words;
  }

  /** Never rejects. */
  async heardOf(work: Promise<unknown>): Promise<void> {
    try {
      await work;
    } catch (error) {
      this.#failures += 1;
      if (this.#failures === 1) this.#log.warn({ err: error }, `${this.#words}; it is tried each second`);
      return;
    }
    if (this.#failures > 0) this.#log.info({ failures: this.#failures }, `${this.#words}; that is over`);
    this.#failures = 0;
  }
}
