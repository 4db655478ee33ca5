import type { Rate } from '../../../domain/rating/rate.ts';
import type { CallPlan } from '../plan.ts';
import type { CallSettings } from '../state.ts';
import type { Tape } from './tape.ts';

export const WALLET = 1n;
export const PACK = 7n;

/** Short in every respect, so that a history of some seconds sees renewals, last grants and the longest call. */
export const settings: CallSettings = {
  grant_seconds: 5,
  call_seconds_max: 40,
  deadline_guard_ms: 200,
  renew_lead_ms: 2000,
  last_grant_retry_ms: 1000,
  overrun_ms: 600,
  record_wait_ms: 1500,
};

const bySecond: Rate = {
  rate_micros_per_minute: 600_000n,
  connect_fee_micros: 0n,
  minimum_seconds: 0,
  initial_increment_seconds: 1,
  subsequent_increment_seconds: 1,
  grace_seconds: 0,
  free_seconds: 0,
};
const rates: readonly [Rate, ...Rate[]] = [
  bySecond,
  { ...bySecond, rate_micros_per_minute: 100_001n, connect_fee_micros: 30_000n },
  { ...bySecond, initial_increment_seconds: 30, subsequent_increment_seconds: 6 },
  { ...bySecond, minimum_seconds: 12, grace_seconds: 2 },
  { ...bySecond, free_seconds: 8, connect_fee_micros: 7n },
  { ...bySecond, rate_micros_per_minute: 0n },
];

const route = (n: number): Extract<CallPlan['target'], { kind: 'routes' }>['routes'][number] => ({
  carrier_id: n,
  carrier: `carrier-${n}`,
  trunk_id: `trunk-${n}`,
  number: '4420',
  rate: { ...bySecond, rate_micros_per_minute: 300_000n },
  source: { deck_id: n, deck: `buy-${n}`, version: 1, prefix: '44', destination: 'x', currency: 'GBP' },
});

const OUTSIDE = '+4420';

/**
 * A call to a number of ours that goes on to the outside: at once, or when the phones did not answer. Most calls of a history are
 * outbound ones, as on a switch.
 */
function forwardedPlan(tape: Tape, plan: CallPlan): CallPlan {
  const { rate, source } = route(3);
  const tariff = { ...plan.tariff, forwarded: { to: OUTSIDE, rate: { ...rate, ...tape.pick(rates) }, source } };
  const shared = {
    ...plan,
    direction: 'inbound',
    device: null,
    callee: '+4930',
    destination: '+4930',
    tariff,
  } as const;
  const outside = { kind: 'routes', routes: [route(1), route(2)] } satisfies CallPlan['target'];
  if (tape.oneIn(3)) return { ...shared, target: outside };
  return {
    ...shared,
    target: { kind: 'devices', devices: ['phone'] },
    otherwise: { target: outside, ring_timeout_ms: 3000 },
  };
}

/** What is decided about a call of the one account of a history. */
export function planFrom(tape: Tape, arrived_at_ms: number, limits: CallPlan['limits']): CallPlan {
  const plan = plainPlan(tape, arrived_at_ms, limits);
  return plan.direction === 'outbound' && tape.oneIn(4) ? forwardedPlan(tape, plan) : plan;
}

function plainPlan(tape: Tape, arrived_at_ms: number, limits: CallPlan['limits']): CallPlan {
  const emergency = tape.oneIn(12);
  const rate = emergency ? { ...bySecond, rate_micros_per_minute: 0n } : tape.pick(rates);
  return {
    direction: emergency ? 'emergency' : 'outbound',
    account_id: 'account',
    wallet_id: emergency && tape.oneIn(3) ? 0n : WALLET,
    currency: 'EUR',
    time_zone: 'UTC',
    device: 'phone',
    dialled: '+4420',
    caller: null,
    callee: '+4420',
    destination: 'x',
    arrived_at_ms,
    ring_timeout_ms: 4000,
    tariff: {
      rate,
      tax_ppm: emergency ? 0 : tape.pick([0, 190_000]),
      pack: !emergency && tape.oneIn(3) ? { id: PACK, seconds_available: tape.pick([25, 8, 60]) } : null,
      forwarded: null,
    },
    source: null,
    routing: [],
    target: emergency
      ? { kind: 'emergency', trunk_id: 'trunk-help', number: '112' }
      : { kind: 'routes', routes: [route(1), route(2)] },
    otherwise: null,
    without_way_on: null,
    limits: emergency
      ? { concurrent_calls_max: 2 ** 31 - 1, spend_hour_max: 2n ** 63n - 1n, spend_day_max: 2n ** 63n - 1n }
      : limits,
  };
}
