import type { Running } from '../runtime/running.ts';

/** One part of the system that can be started. */
export interface Part<T extends Running = Running> {
  /** As a person reads it: `Postgres`. */
  name: string;
  /** Resolves once the part answers. On failure it leaves nothing running and throws. */
  start: () => Promise<T>;
}

/** Starts a part after those before it; it is stopped before them. */
export type Begin = <T extends Running>(part: Part<T>) => Promise<T>;
