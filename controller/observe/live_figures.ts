import type { Held } from '../charging/tariff.ts';
import type { CallPlan } from '../call/plan.ts';
import type { CallState } from '../call/state.ts';
import type { LiveFigures, LiveMoney } from './metrics.ts';

const SECONDS_PER_MINUTE = 60;

/** Figures of the calls that live now; amounts become numbers here, as a gauge is for eyes and not for books. */
export function liveFigures(states: readonly CallState[], now_ms: number): LiveFigures {
  const by_phase = { deciding: 0, holding: 0, dialling: 0, talking: 0, settling: 0, over: 0 };
  const money = new Map<string, LiveMoney>();
  let oldest_ms = 0;
  for (const state of states) {
    by_phase[state.phase] += 1;
    oldest_ms = Math.max(oldest_ms, now_ms - state.arrival.arrived_at_ms);
    if ('held' in state) addTo(money, state);
  }
  return { by_phase, money, oldest_ms };
}

/** Money of two currencies has no sum, so each has figures of its own. */
function addTo(money: Map<string, LiveMoney>, state: Extract<CallState, { held: Held }>): void {
  const { currency } = state.plan;
  const of_currency = money.get(currency) ?? { held_micros: 0, burn_micros_per_second: 0 };
  money.set(currency, of_currency);
  of_currency.held_micros += Number(state.held.micros);
  if (state.phase === 'talking') of_currency.burn_micros_per_second += burnOf(state.plan);
}

function burnOf({ tariff: { rate, forwarded } }: CallPlan): number {
  const both = rate.rate_micros_per_minute + (forwarded?.rate.rate_micros_per_minute ?? 0n);
  return Number(both) / SECONDS_PER_MINUTE;
}
