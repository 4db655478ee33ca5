import type { CallerProfile } from '../../domain/accounts/caller_profile.ts';
import type { Rate } from '../../domain/rating/rate.ts';
import type { CallPlan } from '../call/plan.ts';
import type { CallArrival } from '../switch/switch.ts';

export const freeOfCharge: Rate = {
  rate_micros_per_minute: 0n,
  connect_fee_micros: 0n,
  minimum_seconds: 0,
  initial_increment_seconds: 1,
  subsequent_increment_seconds: 1,
  grace_seconds: 0,
  free_seconds: 0,
};

/** No limit of an account stands in the way of help; these are the largest values that their columns can have. */
const unlimited: CallPlan['limits'] = {
  concurrent_calls_max: 2 ** 31 - 1,
  spend_hour_max: 2n ** 63n - 1n,
  spend_day_max: 2n ** 63n - 1n,
};

/** A call for help: over the trunk that is configured for it, shown with the caller's number, charged to nobody. */
export function emergencyPlan(
  arrival: CallArrival,
  profile: CallerProfile,
  code: string,
  trunk_id: string,
  ring_timeout_ms: number,
): CallPlan {
  return {
    direction: 'emergency',
    account_id: profile.account_id,
    // An account without a wallet holds nothing, and its call goes through all the same.
    wallet_id: profile.wallet_id ?? 0n,
    currency: profile.currency ?? 'XXX',
    time_zone: profile.time_zone,
    device: profile.device,
    dialled: arrival.dialled.slice(0, 80),
    caller: profile.caller_number,
    callee: code,
    destination: 'Emergency services',
    arrived_at_ms: arrival.arrived_at_ms,
    ring_timeout_ms,
    tariff: { rate: freeOfCharge, tax_ppm: 0, pack: null, forwarded: null },
    source: null,
    routing: [`The emergency route of ${profile.home_country}.`],
    target: { kind: 'emergency', trunk_id, number: code },
    otherwise: null,
    without_way_on: null,
    limits: unlimited,
  };
}
