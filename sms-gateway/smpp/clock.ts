import { performance } from 'node:perf_hooks';

/** A monotonic clock: what is due does not move when somebody sets the time of day. */
export interface Clock {
  now_ms(): number;
  /** Returns how to take the timer back. */
  after(ms: number, run: () => void): () => void;
}

export const systemClock: Clock = {
  now_ms: () => performance.now(),
  after: (ms, run) => {
    const timer = setTimeout(run, ms);
    return () => clearTimeout(timer);
  },
};
