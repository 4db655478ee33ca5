/** Milliseconds of the monotonic clock: a step of the wall clock must never change what a witness measured. */
export function monotonicMs(): number {
  return performance.now();
}

/** The wall-clock moment of a monotonic time of this process, for laying a log beside a switch's records. */
export function wallTime(monotonic_ms: number): Date {
  return new Date(performance.timeOrigin + monotonic_ms);
}
