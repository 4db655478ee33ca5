import type { CalleeProfile } from '../../domain/accounts/callee_profile.ts';
import type { CallPlan } from '../call/plan.ts';
import type { RefusalReason } from '../call/refusal.ts';
import type { Decision } from '../call/state.ts';
import type { CallArrival } from '../switch/switch.ts';
import { forwardCall } from './forwarded.ts';
import { limitsOf } from './outside.ts';
import type { OutsideFacts } from './outside.ts';
import { checkPayer } from './payer.ts';
import type { Payer } from './payer.ts';
import { orMailbox } from './voicemail.ts';

/** What becomes of a call that a carrier brings to one of our numbers. */
export function decideInbound(arrival: CallArrival, profile: CalleeProfile | null, facts: OutsideFacts): Decision {
  if (profile === null) return refuse('unknown_did', null);
  if (profile.did_state !== 'active') return refuse('did_inactive', profile.account_id);
  const checked = checkPayer(profile, 'calls_in');
  if ('reason' in checked) return refuse('did_inactive', profile.account_id, { because: checked.reason });
  const plan = phonesPlan(arrival, profile, checked.payer);
  return orMailbox(reach(arrival, profile, plan, facts), plan, profile);
}

/** On to where its holder wants calls to go, or to his phones. */
function reach(arrival: CallArrival, profile: CalleeProfile, plan: CallPlan, facts: OutsideFacts): Decision {
  if (profile.forward !== null) return forwardCall(arrival, profile, profile.forward, plan, facts);
  if (profile.devices.length === 0) return refuse('no_device', profile.account_id);
  return { kind: 'authorize', plan };
}

/** The holder's phones ring, at the number's own price. */
function phonesPlan(arrival: CallArrival, profile: CalleeProfile, payer: Payer): CallPlan {
  return {
    direction: 'inbound',
    account_id: payer.account_id,
    wallet_id: payer.wallet_id,
    currency: payer.currency,
    time_zone: payer.time_zone,
    device: null,
    dialled: arrival.dialled.slice(0, 80),
    caller: callerNumber(arrival.claimed_caller),
    callee: profile.number,
    destination: profile.number,
    arrived_at_ms: arrival.arrived_at_ms,
    ring_timeout_ms: profile.ring_timeout_seconds * 1000,
    tariff: {
      rate: {
        rate_micros_per_minute: profile.inbound_rate_micros_per_minute,
        connect_fee_micros: profile.inbound_connect_fee_micros,
        minimum_seconds: 0,
        initial_increment_seconds: profile.inbound_initial_increment_seconds,
        subsequent_increment_seconds: profile.inbound_subsequent_increment_seconds,
        grace_seconds: 0,
        free_seconds: 0,
      },
      tax_ppm: payer.tax_ppm,
      pack: null,
      forwarded: null,
    },
    source: null,
    routing: [
      profile.devices.length === 1
        ? `${profile.number} rings one phone.`
        : `${profile.number} rings ${profile.devices.length} phones at once.`,
    ],
    target: { kind: 'devices', devices: [...profile.devices] },
    otherwise: null,
    without_way_on: null,
    limits: limitsOf(payer),
  };
}

/** A carrier's caller number is passed on as digits; whatever else it claims is withheld rather than trusted in a header. */
function callerNumber(claimed: string | null): string | null {
  return claimed !== null && /^\+?[0-9]{3,20}$/u.test(claimed) ? claimed : null;
}

function refuse(
  reason: RefusalReason,
  account_id: string | null,
  facts: Readonly<Record<string, unknown>> = {},
): Decision {
  return { kind: 'refuse', reason, account_id, facts };
}
