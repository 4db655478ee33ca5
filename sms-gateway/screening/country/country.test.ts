import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { E164 } from '../../../domain/numbers/e164.ts';
import { ZoneClock } from '../zone_clock.ts';
import { BulkHours } from './bulk_hours.ts';
import { countryOfCallingCode, DestinationCountry } from './destination_country.ts';

describe('the country of a number', () => {
  it.each([
    ['+4915112345678', 'DE'],
    ['+447700900123', 'GB'],
    ['+441632960123', 'GB'],
    ['+447781123456', 'GG'],
    ['+12025550123', 'US'],
    ['+18765550123', 'JM'],
    ['+77011234567', 'KZ'],
    ['+79161234567', 'RU'],
    ['+998901234567', 'UZ'],
    ['+883510012345', null],
  ])('of %s is %s', (number, country) => {
    const countries = new DestinationCountry();
    expect([countries.of(number as E164), countries.of(number as E164)]).toEqual([country, country]);
  });

  it('is not spoilt by a number that does not exist', () => {
    const countries = new DestinationCountry();
    expect(countries.of('+447781123' as E164)).toBe('GB');
    expect(countries.of('+447781123456' as E164)).toBe('GG');
  });
});

const at = (text: string): number => Date.parse(text);
const day = { from_minute: 8 * 60, until_minute: 20 * 60 };

describe('the hours of a country', () => {
  it('let a text through by day, and keep one of the night until the morning', () => {
    const hours = new BulkHours(day, ['Europe/Berlin'], new ZoneClock());
    expect(hours.openFrom(at('2026-01-15T12:34:56Z'))).toBe(at('2026-01-15T12:34:56Z'));
    expect(hours.openFrom(at('2026-01-15T19:00:00Z'))).toBe(at('2026-01-16T07:00:00Z'));
    expect(hours.openFrom(at('2026-01-15T06:59:59Z'))).toBe(at('2026-01-15T07:00:00Z'));
    expect(hours.openFrom(at('2026-07-15T05:59:59Z'))).toBe(at('2026-07-15T06:00:00Z'));
  });

  it('know the morning after the clocks were changed', () => {
    const hours = new BulkHours(day, ['Europe/Berlin'], new ZoneClock());
    expect(hours.openFrom(at('2026-03-28T22:00:00Z'))).toBe(at('2026-03-29T06:00:00Z'));
  });

  it('are those that all zones of a country have in common', () => {
    const hours = new BulkHours(day, ['America/New_York', 'America/Los_Angeles'], new ZoneClock());
    expect(hours.openFrom(at('2026-01-15T13:00:00Z'))).toBe(at('2026-01-15T16:00:00Z'));
    expect(hours.openFrom(at('2026-01-16T01:00:00Z'))).toBe(at('2026-01-16T16:00:00Z'));
  });

  it('are null where zones have none in common', () => {
    const zones = ['Pacific/Auckland', 'America/Los_Angeles'];
    expect(new BulkHours({ from_minute: 600, until_minute: 660 }, zones, new ZoneClock()).openFrom(0)).toBeNull();
  });

  it('begin where it is day, and never before the text was to go', () => {
    const zones = new ZoneClock();
    const hours = new BulkHours(day, ['Asia/Kathmandu'], zones);
    fc.assert(
      fc.property(fc.integer({ min: at('2026-01-01T00:00:00Z'), max: at('2026-12-31T00:00:00Z') }), (wanted_ms) => {
        const opens_ms = hours.openFrom(wanted_ms) ?? 0;
        expect(opens_ms).toBeGreaterThanOrEqual(wanted_ms);
        expect(opens_ms - wanted_ms).toBeLessThanOrEqual(12 * 3_600_000);
        const { minute_of_day } = zones.at('Asia/Kathmandu', opens_ms);
        expect(minute_of_day).toBeGreaterThanOrEqual(day.from_minute);
        expect(minute_of_day).toBeLessThan(day.until_minute);
      }),
    );
  });
});

describe('the country of a calling code', () => {
  it.each([
    ...[
      ['+12025550123', 'US'],
      ['+14165550123', 'US'],
      ['+447700900123', 'GB'],
      ['+447781123456', 'GB'],
    ],
    ...[
      ['+77012345678', 'RU'],
      ['+4915112345678', 'DE'],
      ['+393331234567', 'IT'],
      ['+2348012345678', 'NG'],
    ],
    ...[
      ['+881612345678', null],
      ['+999123456', null],
    ],
  ])('of %s is %s', (number, country) => {
    expect(countryOfCallingCode(number as E164)).toBe(country);
  });
});
