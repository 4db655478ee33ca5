import { patience } from '../../domain/running/patience.ts';

/** Whether one more call of this account may start in this second. */
export interface CallRate {
  allows(account_id: string, calls_per_second_max: number): Promise<boolean>;
}

/** The two commands of Redis that counting needs. */
export interface RateStore {
  readonly isReady: boolean;
  incr(key: string): Promise<number>;
  expire(key: string, seconds: number): Promise<unknown>;
}

/** Counts in this process; exact as long as one controller serves the account. */
export class LocalCallRate implements CallRate {
  readonly #now: () => number;
  #second = 0;
  #counts = new Map<string, number>();

  constructor(now: () => number) {
    this.#now = now;
  }

  allows(account_id: string, calls_per_second_max: number): Promise<boolean> {
    const second = Math.floor(this.#now() / 1000);
    if (second !== this.#second) {
      this.#second = second;
      this.#counts = new Map();
    }
    const count = (this.#counts.get(account_id) ?? 0) + 1;
    this.#counts.set(account_id, count);
    return Promise.resolve(count <= calls_per_second_max);
  }
}

/** A caller waits for the decision meanwhile; a store that works answers within a millisecond. */
const ANSWER_MS_MAX = 100;
/** A store that did not answer is left alone for this long, so that only one caller waits in vain. */
const PAUSE_MS = 1_000;
const KEPT_SECONDS = 5;

/**
 * Counts in Redis, where all controllers see it. What is counted may be lost: without Redis this process counts on its
 * own, since a limit on the rate protects against floods and must not become an outage of its own.
 */
export class SharedCallRate implements CallRate {
  readonly #store: RateStore;
  readonly #local: LocalCallRate;
  readonly #answer_ms_max: number;
  readonly #now: () => number;
  #asked_again_at_ms = 0;

  /** @param answer_ms_max who is silent for so long is not waited for, as a caller waits meanwhile. */
  constructor(store: RateStore, now: () => number, answer_ms_max = ANSWER_MS_MAX) {
    this.#store = store;
    this.#now = now;
    this.#answer_ms_max = answer_ms_max;
    this.#local = new LocalCallRate(now);
  }

  async allows(account_id: string, calls_per_second_max: number): Promise<boolean> {
    if (!this.#store.isReady || performance.now() < this.#asked_again_at_ms) {
      return this.#local.allows(account_id, calls_per_second_max);
    }
    const key = `letsdial:call-rate:${account_id}:${Math.floor(this.#now() / 1000)}`;
    try {
      return (await this.#count(key)) <= calls_per_second_max;
    } catch {
      this.#asked_again_at_ms = performance.now() + PAUSE_MS;
      return this.#local.allows(account_id, calls_per_second_max);
    }
  }

  /** Rejects when the store has been silent for too long. */
  #count(key: string): Promise<number> {
    return new Promise((resolve, reject) => {
      const waitNoMore = patience(this.#answer_ms_max, () =>
        reject(new Error(`Redis did not answer within ${this.#answer_ms_max} ms.`)),
      );
      this.#incremented(key).finally(waitNoMore).then(resolve, reject);
    });
  }

  /** Both go out in one write: a second one, after the answer to the first, costs more than an expiry that was set already. */
  async #incremented(key: string): Promise<number> {
    const [count] = await Promise.all([this.#store.incr(key), this.#store.expire(key, KEPT_SECONDS)]);
    return count;
  }
}
