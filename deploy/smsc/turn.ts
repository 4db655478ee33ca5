import type { FactLog } from './fact_log.ts';

/** A connection that has something to write. */
export interface Flushable {
  flush: () => void;
}

/**
 * The end of each turn of the event loop: one write of the log, then one write of each connection. In this order, so that
 * nobody can know of something that is not in the log, even if the carrier is killed between the two.
 */
export class Turn {
  readonly #log: FactLog;
  #links: Flushable[] = [];
  #due = false;

  constructor(log: FactLog) {
    this.#log = log;
    log.onWaiting = () => this.#wake();
  }

  add(link: Flushable): void {
    this.#links.push(link);
    this.#wake();
  }

  /** Now, instead of at the end of the turn. */
  run(): void {
    this.#due = false;
    this.#log.flush();
    const links = this.#links;
    this.#links = [];
    for (const link of links) link.flush();
  }

  #wake(): void {
    if (this.#due) return;
    this.#due = true;
    setImmediate(() => {
      if (this.#due) this.run();
    });
  }
}
