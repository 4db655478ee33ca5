import type { CountryTextRule } from '../../../domain/texts/screening/screening_rows.ts';
import { QUARTER_MS, type ZoneClock } from '../zone_clock.ts';

const LOOKED_AHEAD_QUARTERS = 4 * 24 * 3;
const REMEMBERED_MAX = 4_000;

/** The hours of a country at which nobody minds a newsletter: where it has several zones, those that all of them have in common. */
export class BulkHours {
  readonly #zones: ZoneClock;
  readonly #from_minute: number;
  readonly #until_minute: number;
  readonly #time_zones: readonly string[];
  /** For a quarter of an hour, the first from it on that is within the hours. */
  readonly #opens = new Map<number, number>();

  constructor(
    { from_minute, until_minute }: NonNullable<CountryTextRule['bulk_hours']>,
    time_zones: readonly string[],
    zones: ZoneClock,
  ) {
    this.#from_minute = from_minute;
    this.#until_minute = until_minute;
    this.#time_zones = time_zones;
    this.#zones = zones;
  }

  /** The moment itself where it is within the hours, else when they begin; null where the zones have no hour in common. */
  openFrom(at_ms: number): number | null {
    const quarter = Math.floor(at_ms / QUARTER_MS);
    const opens = this.#opens.get(quarter) ?? this.#lookAhead(quarter);
    if (opens === null) return null;
    return opens === quarter ? at_ms : opens * QUARTER_MS;
  }

  #lookAhead(quarter: number): number | null {
    let opens = quarter;
    while (!this.#isOpen(opens)) {
      opens += 1;
      if (opens - quarter > LOOKED_AHEAD_QUARTERS) return null;
    }
    if (this.#opens.size >= REMEMBERED_MAX) this.#opens.clear();
    for (let one = quarter; one <= opens; one += 1) this.#opens.set(one, opens);
    return opens;
  }

  #isOpen(quarter: number): boolean {
    return this.#time_zones.every((time_zone) => {
      const { minute_of_day } = this.#zones.at(time_zone, quarter * QUARTER_MS);
      return minute_of_day >= this.#from_minute && minute_of_day < this.#until_minute;
    });
  }
}
