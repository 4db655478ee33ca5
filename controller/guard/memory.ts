import type { Blocks } from './blocks.ts';

/** The commands of Redis by which the guard remembers over a restart. */
export interface MemoryStore {
  readonly isReady: boolean;
  exists(key: string): Promise<number>;
  setEx(key: string, seconds: number, value: string): Promise<unknown>;
  zAdd(key: string, member: { score: number; value: string }): Promise<unknown>;
  zRem(key: string, member: string): Promise<unknown>;
  zRangeWithScores(key: string, first: number, last: number): Promise<{ score: number; value: string }[]>;
}

const BLOCKS = 'letsdial:guard:blocks';
/** An address that goes on succeeding is written down once in this time. */
const REWRITE_MS = 60_000;
const ADDRESSES_MAX = 100_000;

export interface MemoryOptions {
  store: MemoryStore;
  /** How long a success speaks for its address. */
  proven_seconds: number;
  now: () => number;
  onTrouble: (error: unknown) => void;
}

/** What is worth remembering of addresses: who is blocked, and from where right credentials came. All of it may be lost. */
export class Memory {
  readonly #options: MemoryOptions;
  readonly #proven_at_ms = new Map<string, number>();

  constructor(options: MemoryOptions) {
    this.#options = options;
  }

  async blocks(): Promise<Blocks> {
    const members = await this.#ask((store) => store.zRangeWithScores(BLOCKS, 0, -1));
    return new Map((members ?? []).map(({ value, score }) => [value, score]));
  }

  async keepBlock(address: string, until_ms: number): Promise<void> {
    await this.#ask((store) => store.zAdd(BLOCKS, { score: until_ms, value: address }));
  }

  async dropBlock(address: string): Promise<void> {
    await this.#ask((store) => store.zRem(BLOCKS, address));
  }

  async keepProven(address: string): Promise<void> {
    const now_ms = this.#options.now();
    if (now_ms - (this.#proven_at_ms.get(address) ?? -Infinity) < REWRITE_MS) return;
    if (this.#proven_at_ms.size >= ADDRESSES_MAX) this.#proven_at_ms.clear();
    this.#proven_at_ms.set(address, now_ms);
    await this.#ask((store) => store.setEx(provenKey(address), this.#options.proven_seconds, '1'));
  }

  async isProven(address: string): Promise<boolean> {
    const at_ms = this.#proven_at_ms.get(address);
    if (at_ms !== undefined && this.#options.now() - at_ms < this.#options.proven_seconds * 1000) return true;
    return ((await this.#ask((store) => store.exists(provenKey(address)))) ?? 0) > 0;
  }

  /** Null without Redis: then only what this process saw itself is known. */
  async #ask<T>(question: (store: MemoryStore) => Promise<T>): Promise<T | null> {
    const { store, onTrouble } = this.#options;
    if (!store.isReady) return null;
    try {
      return await question(store);
    } catch (error) {
      onTrouble(error);
      return null;
    }
  }
}

function provenKey(address: string): string {
  return `letsdial:guard:proven:${address}`;
}
