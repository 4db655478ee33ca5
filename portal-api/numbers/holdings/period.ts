import type { Micros } from '../../../domain/money/micros.ts';
import { DAY_MS } from '../terms.ts';

export interface Period {
  starts_at: Date;
  ends_at: Date;
}

export interface PaidPeriod extends Period {
  net_micros: Micros;
  tax_micros: Micros;
}

/** The same moment a month later, on the anchor's day or the month's last one, in UTC. */
export function monthLater(from: Date, anchor_day: number): Date {
  const [year, month] = [from.getUTCFullYear(), from.getUTCMonth() + 1];
  const last_day = new Date(Date.UTC(year, month + 1, 0)).getUTCDate();
  const at = new Date(from);
  // By the first of the month, as a day that it does not have would lead into the one after.
  at.setUTCDate(1);
  at.setUTCFullYear(year, month, Math.min(anchor_day, last_day));
  return at;
}

export interface Due {
  state: 'active' | 'grace' | 'suspended' | 'ended';
  paid_until: Date;
  anchor_day: number;
}

/**
 * The period that a payment now is for. It follows the one before, so the days of a grace are paid; a number that was suspended could
 * not be used, and begins anew.
 */
export function nextPeriod({ state, paid_until, anchor_day }: Due, now: Date): Period & { anchor_day: number } {
  if (state !== 'suspended') {
    return { starts_at: paid_until, ends_at: monthLater(paid_until, anchor_day), anchor_day };
  }
  const day = now.getUTCDate();
  return { starts_at: now, ends_at: monthLater(now, day), anchor_day: day };
}

export interface Unused {
  days_unused: number;
  days_total: number;
  net_micros: Micros;
  tax_micros: Micros;
}

export const daysOf = ({ starts_at, ends_at }: Period): number =>
  Math.round((ends_at.getTime() - starts_at.getTime()) / DAY_MS);

/** What was paid for so many days of a period, rounded down. */
export function shareOf(period: PaidPeriod, days: number): { net_micros: Micros; tax_micros: Micros } {
  const part = (micros: Micros): Micros => (micros * BigInt(days)) / BigInt(daysOf(period));
  return { net_micros: part(period.net_micros), tax_micros: part(period.tax_micros) };
}

/** What of a paid period is given back when it ends at this moment: its whole days that are left, by the day, rounded down. */
export function unusedPart(period: PaidPeriod, at: Date): Unused {
  const from_ms = Math.max(at.getTime(), period.starts_at.getTime());
  const days_unused = Math.max(0, Math.floor((period.ends_at.getTime() - from_ms) / DAY_MS));
  return { days_unused, days_total: daysOf(period), ...shareOf(period, days_unused) };
}
