import type { PassThrough } from 'node:stream';
import type { Logger } from 'pino';
import type { Queryable } from '../../domain/db/transaction.ts';
import { tell } from '../live/live_hub.ts';
import { WatchedCalls } from './watched_calls.ts';
import { WatchedTexts } from './watched_texts.ts';

export interface LiveWatchOptions {
  db: Queryable;
  log: Logger;
}

/** So that everything is told within a second, as slow as a look may be. */
const LOOK_MS = 500;

/**
 * Tells whoever of the operator's watches what calls and texts do: one look for all of them, twice a second, and none while nobody
 * watches. Who came first has the first look behind him; what is there already is in the lists.
 */
export class LiveWatch {
  readonly #options: LiveWatchOptions;
  readonly #watching = new Set<PassThrough>();
  #calls = new WatchedCalls();
  #texts = new WatchedTexts();
  #timer: NodeJS.Timeout | null = null;
  #is_busy = false;

  constructor(options: LiveWatchOptions) {
    this.#options = options;
  }

  /** Resolves once what follows is told. */
  async add(stream: PassThrough): Promise<void> {
    if (this.#watching.size === 0) {
      // What was known before may be long over.
      this.#calls = new WatchedCalls();
      this.#texts = new WatchedTexts();
      this.#timer = setInterval(() => void this.#turn(), LOOK_MS);
    }
    this.#watching.add(stream);
    stream.on('close', () => {
      this.#watching.delete(stream);
      if (this.#watching.size === 0) this.stop();
    });
    await this.#turn();
  }

  stop(): void {
    if (this.#timer !== null) clearInterval(this.#timer);
    this.#timer = null;
  }

  async #turn(): Promise<void> {
    if (this.#is_busy) return;
    this.#is_busy = true;
    const { db, log } = this.#options;
    try {
      const events = [...(await this.#calls.look(db)), ...(await this.#texts.look(db))];
      for (const stream of this.#watching) for (const { type, facts } of events) tell({ stream }, type, facts);
    } catch (error) {
      log.warn({ err: error }, 'calls and texts could not be looked at for those who watch');
    } finally {
      this.#is_busy = false;
    }
  }
}
