const MINUTE_MS = 60_000;

/**
 * The instant that a receipt's date means, in milliseconds since 1970: YYMMDDhhmm (SMPP 3.4 appendix B), and as carriers
 * write it, YYMMDDhhmmss, YYYYMMDDhhmm and YYYYMMDDhhmmss, with or without punctuation. Null for anything else.
 * @param utc_offset_minutes of the zone the carrier's clock shows, which the format does not say; positive to the east.
 */
export function receiptTimeMs(date: string, utc_offset_minutes: number): number | null {
  const written = /^[0-9][0-9 \-/.:T]*/u.exec(date.trim())?.[0] ?? '';
  const digits = written.replace(/[^0-9]/gu, '');
  const local_ms = localMs(digits);
  return local_ms === null ? null : local_ms - utc_offset_minutes * MINUTE_MS;
}

function localMs(digits: string): number | null {
  switch (digits.length) {
    case 10:
      return calendarMs(`20${digits}00`);
    case 12:
      // 20 for the year 2020 and 20 for the century look alike; from 2013 on only one of them makes a date.
      return calendarMs(`20${digits}`) ?? calendarMs(`${digits}00`);
    case 14:
      return calendarMs(digits);
    default:
      return null;
  }
}

/** Of YYYYMMDDhhmmss; null where the calendar or the clock does not have it. */
function calendarMs(digits: string): number | null {
  const at = (from: number, to: number): number => Number(digits.slice(from, to));
  const ms = Date.UTC(at(0, 4), at(4, 6) - 1, at(6, 8), at(8, 10), at(10, 12), at(12, 14));
  // What is beyond a month, a day or an hour is counted on into the next one.
  const read = new Date(ms);
  const is_as_written =
    read.getUTCFullYear() === at(0, 4) &&
    read.getUTCMonth() === at(4, 6) - 1 &&
    read.getUTCDate() === at(6, 8) &&
    read.getUTCHours() === at(8, 10) &&
    read.getUTCMinutes() === at(10, 12) &&
    read.getUTCSeconds() === at(12, 14);
  return is_as_written ? ms : null;
}
