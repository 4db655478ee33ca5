/**
 * Remembers what was told lately, so that nothing counts twice: two sets that take turns, so that what is remembered is the
 * last `ids_max` at least, and at most twice as many.
 */
export class ToldOnce {
  readonly #ids_max: number;
  #latest = new Set<string>();
  #before = new Set<string>();

  constructor(ids_max: number) {
    this.#ids_max = ids_max;
  }

  /** Whether it was not told before, as far as is remembered; from now on it was. */
  isNews(id: string): boolean {
    if (this.#latest.has(id) || this.#before.has(id)) return false;
    if (this.#latest.size >= this.#ids_max) {
      this.#before = this.#latest;
      this.#latest = new Set();
    }
    this.#latest.add(id);
    return true;
  }
}
