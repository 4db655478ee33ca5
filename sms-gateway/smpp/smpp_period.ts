const SECOND_MS = 1_000;
const MINUTE_S = 60;
const HOUR_S = 60 * MINUTE_S;
const DAY_S = 24 * HOUR_S;
/** The format has two digits for days, and a month is no length: no carrier keeps a text for longer. */
const DAYS_MAX = 31;

/**
 * A time from now on, as SMPP writes it (3.4, section 7.1.1.2): YYMMDDhhmmss000R. Relative, as a carrier's clock is not ours. At least
 * a second, and 31 days at most.
 */
export function smppPeriod(ms: number): string {
  const seconds = Math.min(DAYS_MAX * DAY_S, Math.max(1, Math.floor(ms / SECOND_MS)));
  const days = Math.floor(seconds / DAY_S);
  const hours = Math.floor((seconds % DAY_S) / HOUR_S);
  const minutes = Math.floor((seconds % HOUR_S) / MINUTE_S);
  return `0000${two(days)}${two(hours)}${two(minutes)}${two(seconds % MINUTE_S)}000R`;
}

function two(value: number): string {
  return value < 10 ? `0${value}` : `${value}`;
}
