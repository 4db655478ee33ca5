import type { Clock } from '../clock.ts';

interface Timer {
  at_ms: number;
  run: () => void;
}

/** Time that passes only when it is told to. */
export class FakeClock implements Clock {
  #now_ms = 1_000;
  #timers = new Set<Timer>();

  now_ms(): number {
    return this.#now_ms;
  }

  after(ms: number, run: () => void): () => void {
    const timer = { at_ms: this.#now_ms + ms, run };
    this.#timers.add(timer);
    return () => {
      this.#timers.delete(timer);
    };
  }

  get timers(): number {
    return this.#timers.size;
  }

  /** Runs what falls due, in its order. */
  advance(ms: number): void {
    const until_ms = this.#now_ms + ms;
    for (let next = this.#next(until_ms); next !== undefined; next = this.#next(until_ms)) {
      this.#timers.delete(next);
      this.#now_ms = next.at_ms;
      next.run();
    }
    this.#now_ms = until_ms;
  }

  /** All that fell due runs only now, as after a sleep of the machine. */
  oversleep(ms: number): void {
    this.#now_ms += ms;
    const due = [...this.#timers].filter(({ at_ms }) => at_ms <= this.#now_ms);
    for (const timer of due) {
      this.#timers.delete(timer);
      timer.run();
    }
  }

  #next(until_ms: number): Timer | undefined {
    return [...this.#timers].filter(({ at_ms }) => at_ms <= until_ms).sort((a, b) => a.at_ms - b.at_ms)[0];
  }
}
