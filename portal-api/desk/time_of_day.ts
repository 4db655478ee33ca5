import { z } from 'zod';

const QUARTER_MS = 900_000;
const QUARTERS_A_DAY = 96;

/** As a wall clock shows it; 24:00 is the end of the day. */
export const timeOfDay = z.string().regex(/^(?:(?:[01][0-9]|2[0-3]):[0-5][0-9]|24:00)$/u);

/** By a name of the IANA. */
export const timeZone = z
  .string()
  .max(60)
  .regex(/^[A-Za-z][A-Za-z0-9_+/-]*$/u)
  .refine(isTimeZone, 'is no time zone of the IANA, such as Europe/Berlin');

function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Whether, in the day from `now` on, there is a quarter of an hour that is from the first to before the second in all of these zones. */
export function haveHoursInCommon(time_zones: readonly string[], from: string, until: string, now: Date): boolean {
  const clocks = time_zones.map(
    (zone) =>
      new Intl.DateTimeFormat('en-GB', { timeZone: zone, hourCycle: 'h23', hour: '2-digit', minute: '2-digit' }),
  );
  const first_ms = Math.ceil(now.getTime() / QUARTER_MS) * QUARTER_MS;
  return Array.from({ length: QUARTERS_A_DAY }, (_, n) => first_ms + n * QUARTER_MS).some((at_ms) =>
    clocks.every((clock) => {
      const shown = clock.format(at_ms);
      return shown >= from && shown < until;
    }),
  );
}
