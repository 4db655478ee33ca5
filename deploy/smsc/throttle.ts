/** How many texts one system_id may send: so many a second, and a second's worth at once. */
export class Throttle {
  #tokens = Infinity;
  #filled_at_ms = 0;

  /** As if nothing had been sent for long. */
  refill(): void {
    this.#tokens = Infinity;
  }

  /** Whether `count` more are within the limit; null: there is none. */
  admits(count: number, texts_per_second_max: number | null, now_ms: number): boolean {
    if (texts_per_second_max === null) return true;
    const gained = ((now_ms - this.#filled_at_ms) / 1000) * texts_per_second_max;
    this.#tokens = Math.min(this.#tokens + gained, Math.max(1, texts_per_second_max));
    this.#filled_at_ms = now_ms;
    if (this.#tokens < count) return false;
    this.#tokens -= count;
    return true;
  }
}
