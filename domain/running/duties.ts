import type { Logger } from 'pino';

/** What a service does again and again while it runs. */
export class Duties {
  readonly #log: Logger;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  /** Runs a duty again and again, never twice at once; a failure is told and the next turn comes. */
  every(interval_ms: number, duty: () => Promise<void>): void {
    let busy = false;
    const timer = setInterval(() => {
      if (busy) return;
      busy = true;
      duty()
        .catch((error: unknown) => this.#log.warn({ err: error }, 'a regular duty failed; it comes again'))
        .finally(() => {
          busy = false;
        });
    }, interval_ms);
    this.#timers.push(timer);
  }

  /** None begins any more; one that is under way ends by itself. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
