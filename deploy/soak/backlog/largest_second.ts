const SECOND_MS = 1_000;

/** The most that came within any 1,000 ms, wherever they begin. */
export function largestSecond(at_ms: readonly number[]): number {
  const sorted = [...at_ms].sort((a, b) => a - b);
  let from = 0;
  let largest = 0;
  for (const [n, at] of sorted.entries()) {
    while (at - (sorted[from] ?? at) >= SECOND_MS) from += 1;
    largest = Math.max(largest, n - from + 1);
  }
  return largest;
}
