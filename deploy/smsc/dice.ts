/** Random choices that a seed repeats. A chance of nothing draws nothing, so that a perfect carrier costs no numbers. */
export class Dice {
  #state: number;

  constructor(seed: number) {
    // Xorshift never leaves zero.
    this.#state = seed | 0 || 1;
  }

  chance(per_mille: number): boolean {
    return per_mille > 0 && this.below(1000) < per_mille;
  }

  /** A whole number of that span, both its ends included. */
  within({ min, max }: { min: number; max: number }): number {
    return min === max ? min : min + this.below(max - min + 1);
  }

  /** A whole number from 0 up to, not including, `limit`. */
  below(limit: number): number {
    let state = this.#state;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#state = state;
    return Math.floor(((state >>> 0) / 2 ** 32) * limit);
  }

  shuffle<T>(items: readonly T[]): T[] {
    const left = [...items];
    const drawn: T[] = [];
    while (left.length > 0) drawn.push(...left.splice(this.below(left.length), 1));
    return drawn;
  }
}
