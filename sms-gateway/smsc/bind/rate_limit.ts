/** So many a second, and a second's worth at once after a pause. Time is passed in, monotonic. */
export class RateLimit {
  per_second_max: number;
  #left: number;
  #filled_at_ms: number;

  constructor(per_second_max: number, now_ms: number) {
    this.per_second_max = per_second_max;
    this.#left = per_second_max;
    this.#filled_at_ms = now_ms;
  }

  /** Whether one more may come; it then counts. */
  take(now_ms: number): boolean {
    const gained = ((now_ms - this.#filled_at_ms) / 1000) * this.per_second_max;
    this.#left = Math.min(this.#left + gained, this.per_second_max);
    this.#filled_at_ms = now_ms;
    if (this.#left < 1) return false;
    this.#left -= 1;
    return true;
  }
}
