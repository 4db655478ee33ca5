const SHAPE = /^(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)(\d)(\d\d)([+\-R])$/u;
const QUARTER_MS = 900_000;
/** Quarters of an hour between a zone and UTC. */
const QUARTERS_MAX = 48;

/**
 * The instant that a time of SMPP means, in milliseconds since 1970 (SMPP 3.4 section 7.1.1): YYMMDDhhmmsstnnp, of which t
 * are tenths of a second and nn quarters of an hour by which the zone is before (+) or behind (-) UTC; with R it is that many
 * years, months, days and so on from now, as the calendar in UTC has them. Null for anything else.
 */
export function readSmppTime(text: string, now_ms: number): number | null {
  const [, ...fields] = SHAPE.exec(text) ?? [];
  const [year, month, day, hour, minute, second, tenth, quarters] = fields.map(Number);
  if (year === undefined || month === undefined || day === undefined || hour === undefined) return null;
  if (minute === undefined || second === undefined || tenth === undefined || quarters === undefined) return null;
  const sign = fields[8];
  if (sign === 'R') return laterMs(now_ms, [year, month, day, hour, minute, second]);
  if (quarters > QUARTERS_MAX) return null;
  const local_ms = calendarMs([2000 + year, month, day, hour, minute, second], text.slice(2, 12));
  if (local_ms === null) return null;
  return local_ms + tenth * 100 - (sign === '-' ? -1 : 1) * quarters * QUARTER_MS;
}

type Fields = readonly [year: number, month: number, day: number, hour: number, minute: number, second: number];

function laterMs(now_ms: number, [years, months, days, hours, minutes, seconds]: Fields): number {
  const now = new Date(now_ms);
  return Date.UTC(
    now.getUTCFullYear() + years,
    now.getUTCMonth() + months,
    now.getUTCDate() + days,
    now.getUTCHours() + hours,
    now.getUTCMinutes() + minutes,
    now.getUTCSeconds() + seconds,
    now.getUTCMilliseconds(),
  );
}

/** Null where the calendar or the clock does not have it. @param written the fields from the month on, as they were given. */
function calendarMs([year, month, day, hour, minute, second]: Fields, written: string): number | null {
  const ms = Date.UTC(year, month - 1, day, hour, minute, second);
  return digitsOf(ms).slice(2) === written ? ms : null;
}

/** YYMMDDhhmmss in UTC. */
function digitsOf(ms: number): string {
  return new Date(ms)
    .toISOString()
    .replace(/[^0-9]/gu, '')
    .slice(2, 14);
}

/** As an absolute time in UTC. @param ms since 1970, of the years 2000 to 2099. */
export function writeSmppTime(ms: number): string {
  return `${digitsOf(ms)}${Math.floor((ms % 1000) / 100)}00+`;
}

/** YYMMDDhhmm in UTC, as a receipt writes it (SMPP 3.4 appendix B). */
export function writeReceiptDate(ms: number): string {
  return digitsOf(ms).slice(0, 10);
}
