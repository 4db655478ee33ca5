import type { CountryTextRule, ScreeningRows, TextTrust } from '../../domain/texts/screening/screening_rows.ts';
import { ContentRules, describeRule } from './content/content_rules.ts';
import { BulkHours } from './country/bulk_hours.ts';
import type { PaceLimit } from './velocity/text_pace.ts';
import { isTimeZone, type ZoneClock } from './zone_clock.ts';

/** What a country asks, ready for use. */
interface Country {
  alphanumeric_sender: boolean;
  bulk_hours: BulkHours | null;
}

/** All that is read from the database, compiled once for each change. A row that cannot be used is left out and named. */
export class ScreeningRules {
  readonly content: ContentRules;
  /** In words, what is wrong with the rows that are left out. */
  readonly faults: readonly string[];
  readonly #limits: ReadonlyMap<string, PaceLimit>;
  readonly #countries: ReadonlyMap<string, Country>;
  /** Until when, by account and country. */
  readonly #trusted_until_ms = new Map<string, Map<string, number>>();

  constructor(rows: ScreeningRows, zones: ZoneClock, now_ms: number) {
    this.content = new ContentRules(rows.content_rules);
    const faults = this.content.unusable.map((rule) => `${describeRule(rule)}: its pattern can never be found`);
    this.#limits = new Map(
      rows.limits.map(({ account_id, time_zone, ...limit }) => [
        account_id,
        { ...limit, time_zone: isTimeZone(time_zone) ? time_zone : 'UTC' },
      ]),
    );
    this.#countries = new Map(
      rows.country_rules.map((rule) => [rule.country, countryOf(rule, zones, now_ms, (fault) => faults.push(fault))]),
    );
    for (const trust of rows.trusts) this.#trust(trust);
    this.faults = faults;
  }

  limitOf(account_id: string): PaceLimit | undefined {
    return this.#limits.get(account_id);
  }

  countryOf(country: string | null): Country | undefined {
    return country === null ? undefined : this.#countries.get(country);
  }

  trusts(account_id: string, country: string | null, now_ms: number): boolean {
    if (country === null) return false;
    return (this.#trusted_until_ms.get(account_id)?.get(country) ?? -Infinity) > now_ms;
  }

  #trust({ account_id, country, trusted_until }: TextTrust): void {
    const countries = this.#trusted_until_ms.get(account_id) ?? new Map<string, number>();
    countries.set(country, trusted_until?.getTime() ?? Infinity);
    this.#trusted_until_ms.set(account_id, countries);
  }
}

function countryOf(
  { country, alphanumeric_sender, bulk_hours, time_zones }: CountryTextRule,
  zones: ZoneClock,
  now_ms: number,
  onFault: (fault: string) => void,
): Country {
  if (bulk_hours === null) return { alphanumeric_sender, bulk_hours: null };
  const unknown = time_zones.filter((one) => !isTimeZone(one));
  if (unknown.length > 0) {
    onFault(`the hours of ${country} are not kept, for there is no time zone ${unknown.join(', ')}`);
    return { alphanumeric_sender, bulk_hours: null };
  }
  const hours = new BulkHours(bulk_hours, time_zones, zones);
  if (hours.openFrom(now_ms) === null) {
    onFault(`the hours of ${country} are not kept, for its time zones have none of them in common`);
    return { alphanumeric_sender, bulk_hours: null };
  }
  return { alphanumeric_sender, bulk_hours: hours };
}
