interface Entry<T> {
  value: Promise<T>;
  until_ms: number;
}

export interface RememberedOptions<T> {
  load: (key: string) => Promise<T>;
  now: () => number;
  for_ms: number;
  entries_max: number;
}

/** What was asked for lately, for some seconds or until it is told to forget. A failure is not remembered. */
export class Remembered<T> {
  readonly #options: RememberedOptions<T>;
  readonly #entries = new Map<string, Entry<T>>();

  constructor(options: RememberedOptions<T>) {
    this.#options = options;
  }

  get(key: string): Promise<T> {
    const now_ms = this.#options.now();
    const known = this.#entries.get(key);
    if (known !== undefined && known.until_ms > now_ms) return known.value;
    const value = this.#options.load(key);
    const entry = { value, until_ms: now_ms + this.#options.for_ms };
    if (this.#entries.size >= this.#options.entries_max) this.#entries.clear();
    this.#entries.set(key, entry);
    value.catch(() => {
      if (this.#entries.get(key) === entry) this.#entries.delete(key);
    });
    return value;
  }

  forgetAll(): void {
    this.#entries.clear();
  }
}
