import type { CallRecord } from '../sip/call_record.ts';
import { monotonicMs } from '../sip/clock.ts';

const TICK_MS = 5;

export interface Talked {
  least_ms: number;
  most_ms: number;
}

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

  /** For how long nothing could be read, all in all. */
  get total_ms(): number {
    return this.#late.reduce((sum, { lag_ms }) => sum + lag_ms, 0);
  }

  /** How long a party talked, as well as this process can tell: it hears of a beginning or an end late by as much as it was late then. */
  talked(record: Pick<CallRecord, 'answered_at_ms' | 'ended' | 'talked_ms'>): Talked {
    const talked_ms = record.talked_ms ?? Number.NaN;
    const begin_lag_ms = this.around(record.answered_at_ms ?? 0);
    const end_lag_ms = this.around(record.ended?.at_ms ?? 0);
    return { least_ms: talked_ms - end_lag_ms, most_ms: talked_ms + begin_lag_ms };
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
