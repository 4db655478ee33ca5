import { monotonicMs } from '../sip/clock.ts';

const TICK_MS = 5;

/**
 * How late this process itself was, and when. Parties of a test share one event loop with each other: what they measure is
 * late by as much as the loop was at that moment, and by no more.
 */
export class LagMeter {
  readonly #late: { at_ms: number; lag_ms: number }[] = [];
  readonly #timer: NodeJS.Timeout;
  #due_ms = monotonicMs() + TICK_MS;

  constructor() {
    this.#timer = setInterval(() => this.#tick(), TICK_MS);
  }

  /** The longest time around that moment in which nothing could be read from a socket. */
  around(at_ms: number): number {
    const near = this.#late.filter((one) => at_ms >= one.at_ms - one.lag_ms - TICK_MS && at_ms <= one.at_ms + TICK_MS);
    return near.reduce((worst, { lag_ms }) => Math.max(worst, lag_ms), 0);
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #tick(): void {
    const now_ms = monotonicMs();
    const lag_ms = now_ms - this.#due_ms;
    if (lag_ms > 1) this.#late.push({ at_ms: now_ms, lag_ms });
    this.#due_ms = now_ms + TICK_MS;
  }
}
