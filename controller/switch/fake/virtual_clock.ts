interface Timer {
  at_ms: number;
  order: number;
  run: () => void;
}

/** Time that passes only when it is told to. Timers of the same moment run in the order they were set. */
export class VirtualClock {
  #now_ms: number;
  #order = 0;
  #timers: Timer[] = [];

  constructor(now_ms: number) {
    this.#now_ms = now_ms;
  }

  get now_ms(): number {
    return this.#now_ms;
  }

  /** Returns how to take the timer back. */
  at(at_ms: number, run: () => void): () => void {
    const timer = { at_ms: Math.max(at_ms, this.#now_ms), order: this.#order++, run };
    this.#timers.push(timer);
    return () => {
      this.#timers = this.#timers.filter((one) => one !== timer);
    };
  }

  after(ms: number, run: () => void): () => void {
    return this.at(this.#now_ms + ms, run);
  }

  /** Lets time pass. After each timer, whoever awaited its effects goes first, as if the machine were infinitely fast. */
  async advance(ms: number): Promise<void> {
    const until_ms = this.#now_ms + ms;
    await settled();
    for (let next = this.#next(until_ms); next !== undefined; next = this.#next(until_ms)) {
      const due = next;
      this.#timers = this.#timers.filter((one) => one !== due);
      this.#now_ms = due.at_ms;
      due.run();
      await settled();
    }
    this.#now_ms = until_ms;
    await settled();
  }

  /** A step of the wall clock, as an administrator or NTP would cause it: no timer runs because of it. */
  step(ms: number): void {
    this.#now_ms += ms;
    for (const timer of this.#timers) timer.at_ms += ms;
  }

  #next(until_ms: number): Timer | undefined {
    return this.#timers
      .filter((timer) => timer.at_ms <= until_ms)
      .sort((a, b) => a.at_ms - b.at_ms || a.order - b.order)[0];
  }
}

/** All promises that can go on have gone on: the check phase comes after every microtask. */
function settled(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve);
  });
}
