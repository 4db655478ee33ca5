import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { monthLater, nextPeriod, unusedPart } from './period.ts';

const instant = fc.date({ min: new Date('2020-01-01'), max: new Date('2060-01-01'), noInvalidDate: true });
const at = (text: string): Date => new Date(text);

describe('a month later', () => {
  it.each([
    ['2026-01-31T10:00:00Z', 31, '2026-02-28T10:00:00Z'],
    ['2028-01-31T10:00:00Z', 31, '2028-02-29T10:00:00Z'],
    ['2026-02-28T10:00:00Z', 31, '2026-03-31T10:00:00Z'],
    ['2026-04-30T10:00:00Z', 30, '2026-05-30T10:00:00Z'],
    ['2026-12-15T10:00:00Z', 15, '2027-01-15T10:00:00Z'],
  ])('than %s with the anchor %i is %s', (from, anchor_day, to) => {
    expect(monthLater(at(from), anchor_day)).toEqual(at(to));
  });

  it('comes back to the day on which it began, whatever months lay between', () => {
    fc.assert(
      fc.property(instant, fc.integer({ min: 1, max: 60 }), (from, months) => {
        const anchor_day = from.getUTCDate();
        let end = from;
        for (let month = 0; month < months; month += 1) {
          const next = monthLater(end, anchor_day);
          expect(next.getTime() - end.getTime()).toBeGreaterThanOrEqual(28 * 86_400_000);
          expect(next.getTime() - end.getTime()).toBeLessThanOrEqual(31 * 86_400_000);
          end = next;
        }
        const last_day = new Date(Date.UTC(end.getUTCFullYear(), end.getUTCMonth() + 1, 0)).getUTCDate();
        expect(end.getUTCDate()).toBe(Math.min(anchor_day, last_day));
      }),
    );
  });
});

describe('the next period', () => {
  const due = { paid_until: at('2026-03-31T08:00:00Z'), anchor_day: 31 };

  it('follows the one before, and so charges the days of a grace', () => {
    const now = at('2026-04-05T00:00:00Z');
    for (const state of ['active', 'grace'] as const) {
      expect(nextPeriod({ ...due, state }, now)).toEqual({
        starts_at: due.paid_until,
        ends_at: at('2026-04-30T08:00:00Z'),
        anchor_day: 31,
      });
    }
  });

  it('begins anew for a number that could not be used', () => {
    const now = at('2026-04-12T09:00:00Z');
    expect(nextPeriod({ ...due, state: 'suspended' }, now)).toEqual({
      starts_at: now,
      ends_at: at('2026-05-12T09:00:00Z'),
      anchor_day: 12,
    });
  });
});

describe('what is left of a period', () => {
  it('is its whole days that have not begun', () => {
    const period = { starts_at: at('2026-06-01T12:00:00Z'), ends_at: at('2026-07-01T12:00:00Z') };
    const paid = { ...period, net_micros: 3_000_000n, tax_micros: 570_000n };
    expect(unusedPart(paid, at('2026-06-11T12:00:00Z'))).toEqual({
      ...{ days_unused: 20, days_total: 30, net_micros: 2_000_000n, tax_micros: 380_000n },
    });
    expect(unusedPart(paid, at('2026-06-11T12:00:01Z'))).toMatchObject({ days_unused: 19 });
    expect(unusedPart(paid, period.starts_at)).toMatchObject({ net_micros: 3_000_000n, tax_micros: 570_000n });
    expect(unusedPart(paid, period.ends_at)).toMatchObject({ net_micros: 0n, tax_micros: 0n });
  });

  it('is never more than was paid nor less than nothing, and never grows with time', () => {
    const micros = fc.bigInt({ min: 0n, max: 10n ** 12n });
    fc.assert(
      fc.property(
        instant,
        micros,
        micros,
        fc.nat(100 * 86_400_000),
        fc.nat(86_400_000),
        (from, net, tax, a_ms, b_ms) => {
          const period = { starts_at: from, ends_at: monthLater(from, from.getUTCDate()) };
          const paid = { ...period, net_micros: net, tax_micros: tax };
          const first = unusedPart(paid, new Date(from.getTime() - 86_400_000 + a_ms));
          const later = unusedPart(paid, new Date(from.getTime() - 86_400_000 + a_ms + b_ms));
          expect(first.net_micros <= net && first.tax_micros <= tax).toBe(true);
          expect(later.net_micros >= 0n && later.tax_micros >= 0n).toBe(true);
          expect(later.net_micros <= first.net_micros && later.tax_micros <= first.tax_micros).toBe(true);
        },
      ),
    );
  });
});
