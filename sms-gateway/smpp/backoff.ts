export interface Backoff {
  first_ms: number;
  most_ms: number;
}

/**
 * Half fixed and half by chance, up to a bound that doubles with each attempt: never at once, and never in step with others.
 * @param attempt 0 for the first wait.
 * @param random at least 0 and less than 1.
 */
export function backoffMs(attempt: number, { first_ms, most_ms }: Backoff, random: () => number): number {
  const bound_ms = Math.min(most_ms, first_ms * 2 ** Math.min(attempt, 30));
  return Math.round((bound_ms * (1 + random())) / 2);
}
