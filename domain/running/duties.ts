import type { Logger } from 'pino';

/**
 * How far from each other the turns of two duties begin. Begun in one moment, those of ten seconds took all connections to the database
 * at once, some of them new, and who had sent a text then waited 40 ms for it to be accepted.
 */
const APART_MS = 97;

/** What a service does again and again while it runs. */
export class Duties {
  readonly #log: Logger;
  readonly #timers: NodeJS.Timeout[] = [];

  constructor(log: Logger) {
    this.#log = log;
  }

  /**
   * Runs a duty again and again, never twice at once; a failure is told and the next turn comes. The first turn comes after
   * `interval_ms`, and somewhat later the more duties there are already.
   */
  every(interval_ms: number, duty: () => Promise<void>): void {
    let busy = false;
    const turn = (): void => {
      if (busy) return;
      busy = true;
      duty()
        .catch((error: unknown) => this.#log.warn({ err: error }, 'a regular duty failed; it comes again'))
        .finally(() => {
          busy = false;
        });
    };
    const n = this.#timers.length;
    const first = setTimeout(
      () => {
        turn();
        this.#timers[n] = setInterval(turn, interval_ms);
      },
      interval_ms + ((n * APART_MS) % interval_ms),
    );
    this.#timers.push(first);
  }

  /** None begins any more; one that is under way ends by itself. */
  stop(): void {
    for (const timer of this.#timers) clearInterval(timer);
  }
}
