import type { CallerProfile } from '../../domain/accounts/caller_profile.ts';
import { parseDialled } from '../../domain/numbers/dialled.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import type { CallPlan } from '../call/plan.ts';
import type { RefusalReason } from '../call/refusal.ts';
import type { Decision } from '../call/state.ts';
import { sourceOf } from '../routing/rate_book.ts';
import type { CallArrival } from '../switch/switch.ts';
import { decideEmergency } from './emergency.ts';
import { limitsOf, priceOutside } from './outside.ts';
import type { OutsideFacts } from './outside.ts';
import { checkPayer } from './payer.ts';
import type { Payer } from './payer.ts';

export interface OutboundFacts extends OutsideFacts {
  profile: CallerProfile | null;
}

/** What becomes of a call that one of our devices makes. Pure: everything it needs to know is handed in. */
export function decideOutbound(arrival: CallArrival, facts: OutboundFacts): Decision {
  const { profile } = facts;
  if (profile === null) return refuse('unknown_device', null);
  const dialled = parseDialled(arrival.dialled, profile.home_country);
  // Help is decided before money, restrictions and limits.
  if (dialled.kind === 'emergency') return decideEmergency(arrival, profile, dialled.code, facts);
  const checked = checkPayer(profile, 'calls_out');
  if ('reason' in checked) return refuse(checked.reason, profile.account_id);
  if (dialled.kind === 'invalid') return refuse('not_a_number', profile.account_id, { why: dialled.reason });
  return priceAndRoute(arrival, profile, checked.payer, dialled.number, facts);
}

function priceAndRoute(
  arrival: CallArrival,
  profile: CallerProfile,
  payer: Payer,
  number: E164,
  facts: OutsideFacts,
): Decision {
  const outside = priceOutside(payer, number, facts);
  if ('refused' in outside) return refuse(outside.refused, payer.account_id, outside.facts);
  if (profile.caller_number === null) return refuse('caller_id', payer.account_id);
  const { sell, pack, routes, reasons } = outside;
  const plan: CallPlan = {
    direction: 'outbound',
    account_id: payer.account_id,
    wallet_id: payer.wallet_id,
    currency: payer.currency,
    time_zone: payer.time_zone,
    device: profile.device,
    dialled: arrival.dialled.slice(0, 80),
    caller: profile.caller_number,
    withheld: arrival.claimed_caller === null,
    callee: number,
    destination: sell.destination,
    arrived_at_ms: arrival.arrived_at_ms,
    ring_timeout_ms: facts.ring_timeout_ms,
    tariff: { rate: sell.rate, tax_ppm: payer.tax_ppm, pack, forwarded: null },
    source: sourceOf(sell),
    routing: [
      ...(profile.claim_refused
        ? ["The number that the phone asked to show is not the account's; its own is shown."]
        : []),
      ...(arrival.claimed_caller === null ? ['The phone withholds its number: none is shown.'] : []),
      ...reasons,
    ],
    target: { kind: 'routes', routes: [...routes] },
    otherwise: null,
    without_way_on: null,
    limits: limitsOf(payer),
  };
  return { kind: 'authorize', plan };
}

function refuse(
  reason: RefusalReason,
  account_id: string | null,
  facts: Readonly<Record<string, unknown>> = {},
): Decision {
  return { kind: 'refuse', reason, account_id, facts };
}
