/** Full jitter: any time up to a bound that doubles with each attempt, so that controllers do not return in step. */
export function backoffMs(
  attempt: number,
  { first, most }: { first: number; most: number },
  random: () => number,
): number {
  return Math.round(random() * Math.min(most, first * 2 ** Math.min(attempt, 30)));
}
