/** Dates and times in the zone of the account, so that a customer finds them on the own clock. */
export interface Times {
  /** `24 Nov 2026` */
  day: (at: Date) => string;
  /** `01:02:03.123` */
  clock: (at: Date) => string;
}

export function timesIn(time_zone: string): Times {
  const day = new Intl.DateTimeFormat('en-GB', {
    timeZone: time_zone,
    day: 'numeric',
    month: 'short',
    year: 'numeric',
  });
  const clock = new Intl.DateTimeFormat('en-GB', {
    timeZone: time_zone,
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    fractionalSecondDigits: 3,
    hourCycle: 'h23',
  });
  return { day: (at) => day.format(at), clock: (at) => clock.format(at) };
}
