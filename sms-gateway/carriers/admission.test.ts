import { describe, expect, it } from 'vitest';
import type { E164 } from '../../domain/numbers/e164.ts';
import { DestinationCountry } from '../screening/country/destination_country.ts';
import { Admission } from './admission.ts';
import type { AdmittedText } from './admission.ts';
import type { BindRow } from './bind_row.ts';

const NOON = Date.UTC(2026, 0, 15, 12);
const BRITISH = '+447700900123';

type Contract = Partial<
  Pick<
    BindRow,
    | 'alphanumeric_sender'
    | 'default_alphabet'
    | 'national_languages'
    | 'countries'
    | 'opens_at'
    | 'closes_at'
    | 'time_zone'
  >
>;

/** What a bind of this contract takes, and the numbers whose country it asked for. */
function admission(contract: Contract): {
  takes: (text: Partial<AdmittedText>, now_ms?: number) => boolean;
  asked: E164[];
} {
  const countries = new DestinationCountry();
  const asked: E164[] = [];
  const row = {
    alphanumeric_sender: true,
    default_alphabet: 'gsm7',
    national_languages: [],
    countries: null,
    opens_at: null,
    closes_at: null,
  };
  const bind = new Admission({ ...row, time_zone: 'UTC', ...contract } as unknown as BindRow, (number) => {
    asked.push(number);
    return countries.of(number);
  });
  const text: AdmittedText = {
    sender: '+447700900001',
    recipient: BRITISH,
    body: 'Hello',
    encoding: 'gsm7',
    segments: 1,
  };
  return { takes: (wishes, now_ms = NOON) => bind.admits({ ...text, ...wishes }, now_ms), asked };
}

describe('a bind', () => {
  it('takes texts to the countries of its contract', () => {
    const { takes } = admission({ countries: ['GB', 'US', 'DE'] });
    const taken = (recipient: string): boolean => takes({ recipient });
    expect([BRITISH, BRITISH, '+4915112345678', '+12025550123'].map(taken)).toEqual([true, true, true, true]);
    // Guernsey and Jamaica share the calling codes of others; +883 belongs to no country; the last is no number.
    expect(['+447781123456', '+18765550123', '+33612345678', '+883510012345', '0447700900123'].map(taken)).toEqual(
      Array(5).fill(false),
    );
  });

  it('takes texts to all countries where its contract names none, and asks for none', () => {
    const { takes, asked } = admission({});
    expect([takes({}), takes({ recipient: '+883510012345' })]).toEqual([true, true]);
    expect(asked).toEqual([]);
  });

  it('asks for no country where something else is in the way', () => {
    const { takes, asked } = admission({ countries: ['GB'], alphanumeric_sender: false, default_alphabet: 'ascii' });
    expect([takes({ sender: 'ACME' }), takes({ body: 'Grüße' })]).toEqual([false, false]);
    expect(asked).toEqual([]);
    expect([takes({}), takes({ sender: '12345' }), takes({ body: 'Grüße', encoding: 'ucs2' })]).toEqual([
      true,
      true,
      true,
    ]);
  });

  it('takes texts that were counted by the tables of a language where its carrier does', () => {
    const turkish = { body: 'ş'.repeat(156), segments: 2 };
    expect(admission({ national_languages: ['spanish', 'turkish'] }).takes(turkish)).toBe(true);
    for (const contract of [{}, { national_languages: ['urdu' as const] }, { default_alphabet: 'latin1' as const }]) {
      const { takes } = admission(contract);
      expect([takes(turkish), takes({ ...turkish, segments: 3, encoding: 'ucs2' })]).toEqual([false, true]);
      expect(takes({ body: 'a'.repeat(300), segments: 2 })).toBe(true);
    }
  });

  it('takes texts in its hours, those of a night too', () => {
    const day = admission({ opens_at: '08:00:00', closes_at: '20:00:00', time_zone: 'Europe/Berlin' });
    const night = admission({ opens_at: '20:00:00', closes_at: '08:00:00', time_zone: 'Europe/Berlin' });
    const at = (time: string): boolean[] => {
      const now_ms = Date.parse(`2026-01-15T${time}Z`);
      return [day.takes({}, now_ms), night.takes({}, now_ms)];
    };
    expect(at('06:59:59')).toEqual([false, true]);
    expect(at('07:00:00')).toEqual([true, false]);
    expect(at('18:59:59')).toEqual([true, false]);
    expect(at('19:00:00')).toEqual([false, true]);
    expect(at('23:30:00')).toEqual([false, true]);
  });
});
