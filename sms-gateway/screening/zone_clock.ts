/** All zones of today are apart by quarters of an hour, so nothing of a local time that matters here changes within one. */
export const QUARTER_MS = 900_000;

/** The local time at which a quarter of an hour begins. */
export interface LocalQuarter {
  /** As `2026-01-15`. */
  date: string;
  minute_of_day: number;
}

interface Zone {
  format: Intl.DateTimeFormat;
  quarters: Map<number, LocalQuarter>;
}

const QUARTERS_MAX = 4_000;

/** Whether this is a time zone by a name of the IANA. */
export function isTimeZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** Local times, each worked out once: the calendar of a zone costs microseconds, a look into a table does not. */
export class ZoneClock {
  readonly #zones = new Map<string, Zone>();

  /** Throws a RangeError for what is no time zone. */
  at(time_zone: string, at_ms: number): LocalQuarter {
    const zone = this.#zoneOf(time_zone);
    const quarter = Math.floor(at_ms / QUARTER_MS);
    const known = zone.quarters.get(quarter);
    if (known !== undefined) return known;
    const made = localQuarter(zone.format, quarter * QUARTER_MS);
    if (zone.quarters.size >= QUARTERS_MAX) zone.quarters.clear();
    zone.quarters.set(quarter, made);
    return made;
  }

  #zoneOf(time_zone: string): Zone {
    const known = this.#zones.get(time_zone);
    if (known !== undefined) return known;
    const format = new Intl.DateTimeFormat('en-CA', {
      ...{ timeZone: time_zone, calendar: 'iso8601', numberingSystem: 'latn', hourCycle: 'h23' },
      ...{ year: 'numeric', month: '2-digit', day: '2-digit', hour: '2-digit', minute: '2-digit' },
    });
    const made: Zone = { format, quarters: new Map() };
    this.#zones.set(time_zone, made);
    return made;
  }
}

function localQuarter(format: Intl.DateTimeFormat, at_ms: number): LocalQuarter {
  const parts = new Map(format.formatToParts(at_ms).map(({ type, value }) => [type, value]));
  const part = (name: Intl.DateTimeFormatPartTypes): string => parts.get(name) ?? '';
  return {
    date: `${part('year')}-${part('month')}-${part('day')}`,
    minute_of_day: Number(part('hour')) * 60 + Number(part('minute')),
  };
}
