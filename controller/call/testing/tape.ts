/** Where a history takes its chances from: numbers that were chosen before, so that a history can be told again and made shorter. */
export class Tape {
  readonly #numbers: Uint8Array;
  #at = 0;

  constructor(numbers: Uint8Array) {
    this.#numbers = numbers;
  }

  /** A number below `count`; 0, the most ordinary choice, when the tape has run out. */
  below(count: number): number {
    const number = this.#numbers[this.#at] ?? 0;
    this.#at += 1;
    return number % count;
  }

  /** True once in `count` times, never on a tape that has run out. */
  oneIn(count: number): boolean {
    return this.below(count) === count - 1;
  }

  pick<T>(choices: readonly [T, ...T[]]): T {
    return choices[this.below(choices.length)] ?? choices[0];
  }
}
