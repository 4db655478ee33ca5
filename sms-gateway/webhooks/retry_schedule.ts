const [SECOND_MS, MINUTE_MS, HOUR_MS] = [1000, 60_000, 3_600_000];

/** After the first attempt, after the second and so on: the example of Standard Webhooks 1.0.0, somewhat over three days. */
export const RETRY_DELAYS_MS: readonly number[] = [
  5 * SECOND_MS,
  5 * MINUTE_MS,
  30 * MINUTE_MS,
  2 * HOUR_MS,
  5 * HOUR_MS,
  10 * HOUR_MS,
  14 * HOUR_MS,
  20 * HOUR_MS,
  24 * HOUR_MS,
];

/**
 * How long to wait for the next attempt; null when there is none left. Up to a tenth longer by chance, so that what failed
 * together does not come back together. A server that asks for a wait gets at least that one, but never a shorter one than
 * its turn: ten attempts within ten seconds would help nobody.
 * @param failures including the one that just happened.
 */
export function retryDelayMs(failures: number, retry_after_ms: number | null, random: () => number): number | null {
  const delay_ms = RETRY_DELAYS_MS[failures - 1];
  if (delay_ms === undefined) return null;
  return Math.round(Math.max(delay_ms, retry_after_ms ?? 0) * (1 + random() / 10));
}
