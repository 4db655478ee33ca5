/** Random choices that a seed repeats. */
export interface Dice {
  /** A whole number from `least` to `most`, both included. */
  between: (least: number, most: number) => number;
  pick: <T>(from: readonly T[]) => T;
}

/** @param random gives numbers from 0 up to, not including, 1 */
export function diceOf(random: () => number): Dice {
  const between = (least: number, most: number): number => least + Math.floor(random() * (most - least + 1));
  return {
    between,
    pick: (from) => {
      const one = from[between(0, from.length - 1)];
      if (one === undefined) throw new Error('There is nothing to pick from.');
      return one;
    },
  };
}
