/** How often an address has failed within the current window, this time included. */
export interface Failures {
  add(address: string): Promise<number>;
}

/** The commands of Redis that counting needs. */
export interface FailureStore {
  readonly isReady: boolean;
  incr(key: string): Promise<number>;
  expire(key: string, seconds: number): Promise<unknown>;
}

const ADDRESSES_MAX = 20_000;

/** Counts in this process. */
export class LocalFailures implements Failures {
  readonly #window_ms: number;
  readonly #now: () => number;
  readonly #windows = new Map<string, { count: number; ends_at_ms: number }>();

  constructor(window_ms: number, now: () => number) {
    this.#window_ms = window_ms;
    this.#now = now;
  }

  add(address: string): Promise<number> {
    const now_ms = this.#now();
    const open = this.#windows.get(address);
    if (open !== undefined && now_ms < open.ends_at_ms) {
      open.count += 1;
      return Promise.resolve(open.count);
    }
    // So many addresses at once are a flood of forged ones: forgetting them all costs nothing but a later block.
    if (this.#windows.size >= ADDRESSES_MAX) this.#windows.clear();
    this.#windows.set(address, { count: 1, ends_at_ms: now_ms + this.#window_ms });
    return Promise.resolve(1);
  }
}

/** Counts in Redis, where a restart does not forget; in this process while Redis is away, as what is counted may be lost. */
export class SharedFailures implements Failures {
  readonly #store: FailureStore;
  readonly #window_seconds: number;
  readonly #local: LocalFailures;

  constructor(store: FailureStore, window_seconds: number, now: () => number) {
    this.#store = store;
    this.#window_seconds = window_seconds;
    this.#local = new LocalFailures(window_seconds * 1000, now);
  }

  async add(address: string): Promise<number> {
    if (!this.#store.isReady) return this.#local.add(address);
    const key = `letsdial:guard:failures:${address}`;
    try {
      const count = await this.#store.incr(key);
      if (count === 1) await this.#store.expire(key, this.#window_seconds);
      return count;
    } catch {
      // Redis went away in between: the limit falls back to this process and is no outage of its own.
      return this.#local.add(address);
    }
  }
}
