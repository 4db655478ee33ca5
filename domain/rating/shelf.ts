import type { Logger } from 'pino';

/** A reload that failed is tried again after this long. */
const RETRY_MS = 1000;
/** FX rates change by the day, so what is held is made anew now and then even if nothing was notified. */
const RELOAD_MS_MAX = 600_000;

export interface ShelfOptions<T> {
  /** Reads what holds at that instant, and says when a rate begins or ends to hold next. */
  load: (at_ms: number) => Promise<{ value: T; next_change_at_ms: number | null }>;
  now: () => number;
  /** In words, for the log: `the rates`. */
  what?: string;
  log: Logger;
}

/** Holds the prices that are in force, and reads them anew when something changes or a rate's time comes. */
export class Shelf<T> {
  readonly #options: ShelfOptions<T>;
  #held: { value: T } | null = null;
  #timer: NodeJS.Timeout | null = null;
  #loading: Promise<void> | null = null;
  #stale = false;
  #stopped = false;

  constructor(options: ShelfOptions<T>) {
    this.#options = options;
  }

  get value(): T {
    if (this.#held === null) throw new Error(`${this.#what} were never loaded.`);
    return this.#held.value;
  }

  get #what(): string {
    return this.#options.what ?? 'the rates';
  }

  /** Loads now, or once more after the load that is under way: what it read may be older than the change. */
  async reload(): Promise<void> {
    this.#stale = true;
    this.#loading ??= this.#loadWhileStale().finally(() => {
      this.#loading = null;
    });
    await this.#loading;
  }

  /** Like `reload`, for a notification that nobody waits for: a failure is tried again. */
  refresh(): void {
    this.reload().catch((error: unknown) => {
      this.#options.log.warn({ err: error }, `${this.#what} could not be loaded; the ones in force stay`);
      this.#reloadAt(this.#options.now() + RETRY_MS);
    });
  }

  stop(): void {
    this.#stopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
  }

  async #loadWhileStale(): Promise<void> {
    while (this.#stale) {
      this.#stale = false;
      const at_ms = this.#options.now();
      const { value, next_change_at_ms } = await this.#options.load(at_ms);
      this.#held = { value };
      this.#reloadAt(Math.min(next_change_at_ms ?? Infinity, at_ms + RELOAD_MS_MAX));
    }
  }

  #reloadAt(at_ms: number): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    if (this.#stopped) return;
    this.#timer = setTimeout(() => this.refresh(), Math.max(0, at_ms - this.#options.now()));
    this.#timer.unref();
  }
}
