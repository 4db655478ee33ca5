import { describe, expect, it } from 'vitest';
import type { CallState } from '../call/state.ts';
import { planFrom } from '../call/testing/model_plans.ts';
import { Tape } from '../call/testing/tape.ts';
import { liveFigures } from './live_figures.ts';
import { Metrics } from './metrics.ts';

const limits = { concurrent_calls_max: 9, spend_hour_max: 10n ** 9n, spend_day_max: 10n ** 9n };

/** A call for 10,000 micros a second of which 50,000 are held. */
function talking(currency: string): CallState {
  const plan = planFrom(new Tape(new Uint8Array()), 0, limits);
  return {
    ...{ phase: 'talking', call_id: 'call', leg_id: 'leg', attempts: [], grant_no: 1, b_channel_id: 'b' },
    ...{ answered_at_ms: 0, answer_heard_at_ms: 0, renewing: null, tries: 0, last_grant: false, stepped_ms: 0 },
    arrival: {
      ...{ channel_id: 'a', source: { kind: 'device', device: 'desk' }, dialled: '+44', claimed_caller: null },
      arrived_at_ms: 1_000,
    },
    plan: { ...plan, currency },
    held: { seconds: 5, micros: 50_000n, pack_seconds: 0 },
  };
}

describe('money of live calls', () => {
  it('is added up within a currency, and never across two', () => {
    const { money, by_phase, oldest_ms } = liveFigures([talking('EUR'), talking('USD'), talking('EUR')], 3_500);
    expect(Object.fromEntries(money)).toEqual({
      EUR: { held_micros: 100_000, burn_micros_per_second: 20_000 },
      USD: { held_micros: 50_000, burn_micros_per_second: 10_000 },
    });
    expect([by_phase.talking, oldest_ms]).toEqual([3, 2_500]);
  });

  it('goes back to nothing in a currency whose last call is over', async () => {
    let calls = [talking('EUR'), talking('USD')];
    const { registry } = new Metrics(() => liveFigures(calls, 0));
    const shown = async (): Promise<string[]> =>
      (await registry.metrics()).split('\n').filter((line) => /^letsdial_(held|burn)_micros/u.test(line));
    expect(await shown()).toEqual([
      'letsdial_held_micros{currency="EUR"} 50000',
      'letsdial_held_micros{currency="USD"} 50000',
      'letsdial_burn_micros_per_second{currency="EUR"} 10000',
      'letsdial_burn_micros_per_second{currency="USD"} 10000',
    ]);
    calls = [talking('EUR')];
    expect(await shown()).toContain('letsdial_held_micros{currency="USD"} 0');
  });
});
