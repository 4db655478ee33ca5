import type { EmergencyCaller } from '../../domain/accounts/emergency_callers.ts';
import type { Rate } from '../../domain/rating/rate.ts';
import type { CallPlan } from '../call/plan.ts';
import type { Decision } from '../call/state.ts';
import type { RateBook } from '../routing/rate_book.ts';
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

export interface EmergencyFacts {
  book: RateBook;
  ring_timeout_ms: number;
}

/**
 * What becomes of a call for help. Nothing but the caller's country and the routes is asked, so that money, restrictions and limits
 * cannot stand in its way: nobody is refused an ambulance for an unpaid bill.
 */
export function decideEmergency(
  arrival: CallArrival,
  caller: EmergencyCaller,
  code: string,
  facts: EmergencyFacts,
): Decision {
  const trunk_id = facts.book.emergencyTrunk(caller.home_country);
  if (trunk_id !== null)
    return { kind: 'authorize', plan: emergencyPlan(arrival, caller, code, trunk_id, facts.ring_timeout_ms) };
  return { kind: 'refuse', reason: 'emergency_unavailable', account_id: caller.account_id, facts: { code } };
}

/** A call for help: over the trunk that is configured for it, shown with the caller's number, charged to nobody. */
function emergencyPlan(
  arrival: CallArrival,
  caller: EmergencyCaller,
  code: string,
  trunk_id: string,
  ring_timeout_ms: number,
): CallPlan {
  return {
    direction: 'emergency',
    account_id: caller.account_id,
    // An account without a wallet holds nothing, and its call goes through all the same.
    wallet_id: caller.wallet_id ?? 0n,
    currency: caller.currency ?? 'XXX',
    time_zone: caller.time_zone,
    device: caller.device,
    dialled: arrival.dialled.slice(0, 80),
    caller: caller.caller_number,
    callee: code,
    destination: 'Emergency services',
    arrived_at_ms: arrival.arrived_at_ms,
    ring_timeout_ms,
    tariff: { rate: freeOfCharge, tax_ppm: 0, pack: null, forwarded: null },
    source: null,
    routing: [`The emergency route of ${caller.home_country}.`],
    target: { kind: 'emergency', trunk_id, number: code },
    otherwise: null,
    without_way_on: null,
    limits: unlimited,
  };
}
