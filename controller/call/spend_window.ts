import type { SpendWindow } from '../../domain/calls/hold.ts';
import type { CallPlan } from './plan.ts';

const HOUR_MS = 3_600_000;
/** No zone changes its day within a minute that is whole in UTC, and calls ask several times in each. */
const MINUTE_MS = 60_000;
const formatters = new Map<string, Intl.DateTimeFormat>();
const latest = new Map<string, { minute: number; day: string }>();

/** The day in the account's own zone, as YYYY-MM-DD (the form of Canadian dates). */
function dayIn(time_zone: string, at_ms: number): string {
  const minute = Math.floor(at_ms / MINUTE_MS);
  const known = latest.get(time_zone);
  if (known?.minute === minute) return known.day;
  const day = formatDay(time_zone, at_ms);
  latest.set(time_zone, { minute, day });
  return day;
}

function formatDay(time_zone: string, at_ms: number): string {
  let formatter = formatters.get(time_zone);
  if (formatter === undefined) {
    formatter = new Intl.DateTimeFormat('en-CA', { timeZone: time_zone });
    formatters.set(time_zone, formatter);
  }
  return formatter.format(at_ms);
}

/** The hour and the day in which money is spent at that moment, with the account's limits for them. */
export function spendWindow(plan: Pick<CallPlan, 'time_zone' | 'limits'>, at_ms: number): SpendWindow {
  return {
    spend_hour: new Date(Math.floor(at_ms / HOUR_MS) * HOUR_MS),
    spend_hour_max: plan.limits.spend_hour_max,
    spend_day: dayIn(plan.time_zone, at_ms),
    spend_day_max: plan.limits.spend_day_max,
  };
}
