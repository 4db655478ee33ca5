import type { CallState } from '../call/state.ts';
import type { LiveFigures } from './metrics.ts';

const SECONDS_PER_MINUTE = 60;

/** Figures of the calls that live now; amounts become numbers here, as a gauge is for eyes and not for books. */
export function liveFigures(states: readonly CallState[], now_ms: number): LiveFigures {
  const by_phase = { deciding: 0, holding: 0, dialling: 0, talking: 0, settling: 0, over: 0 };
  let held_micros = 0;
  let burn_micros_per_second = 0;
  let oldest_ms = 0;
  for (const state of states) {
    by_phase[state.phase] += 1;
    oldest_ms = Math.max(oldest_ms, now_ms - state.arrival.arrived_at_ms);
    if ('held' in state) held_micros += Number(state.held.micros);
    if (state.phase === 'talking') {
      const { rate, forwarded } = state.plan.tariff;
      const both = rate.rate_micros_per_minute + (forwarded?.rate.rate_micros_per_minute ?? 0n);
      burn_micros_per_second += Number(both) / SECONDS_PER_MINUTE;
    }
  }
  return { by_phase, held_micros, burn_micros_per_second, oldest_ms };
}
