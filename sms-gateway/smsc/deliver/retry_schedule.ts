const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1000, 60_000, 3_600_000];

/** After the first failure, after the second and so on: a day and some minutes in all. */
export const RETRY_DELAYS_MS: readonly number[] = [
  2 * SECOND_MS,
  10 * SECOND_MS,
  30 * SECOND_MS,
  2 * MINUTE_MS,
  10 * MINUTE_MS,
  30 * MINUTE_MS,
  HOUR_MS,
  2 * HOUR_MS,
  4 * HOUR_MS,
  8 * HOUR_MS,
  9 * HOUR_MS,
];

/**
 * How long to wait for the next attempt, up to a tenth longer by chance; null when there is none left. Only attempts count: while
 * nobody is bound a delivery waits, for as many days as dead letters are kept (domain/texts/dead_letters.ts).
 * @param failures including the one that just happened.
 */
export function retryDelayMs(failures: number, random: () => number): number | null {
  const delay_ms = RETRY_DELAYS_MS[failures - 1];
  return delay_ms === undefined ? null : Math.round(delay_ms * (1 + random() / 10));
}
