/**
 * Resolves when nothing more came for `quiet_ms`, when there are `enough`, or when `linger_ms` have passed. A batch that is gathered so
 * is large while much comes, and where each waits for its answer before the next comes, it costs them a moment only: one that is still
 * alone after `alone_ms` waits no longer.
 * @param count how many there are by now.
 * @param pause resolves after so many milliseconds.
 */
export async function untilQuiet(
  count: () => number,
  { alone_ms, quiet_ms, linger_ms, enough }: { alone_ms: number; quiet_ms: number; linger_ms: number; enough: number },
  pause: (ms: number) => Promise<void>,
): Promise<void> {
  if (count() < 2) {
    await pause(alone_ms);
    if (count() < 2) return;
  }
  for (let waited_ms = 0; waited_ms < linger_ms && count() < enough; waited_ms += quiet_ms) {
    const before = count();
    await pause(quiet_ms);
    if (count() === before) return;
  }
}
