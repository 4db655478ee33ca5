import type { CalleeProfile, Forward } from '../../domain/accounts/callee_profile.ts';
import { parseForwardable } from '../../domain/numbers/forwardable.ts';
import { notForwarded, withoutForward } from '../call/forwarding.ts';
import type { CallPlan } from '../call/plan.ts';
import type { RefusalReason } from '../call/refusal.ts';
import type { Decision } from '../call/state.ts';
import { sourceOf } from '../routing/rate_book.ts';
import type { CallArrival } from '../switch/switch.ts';
import { priceOutside } from './outside.ts';
import type { Outside, OutsideFacts } from './outside.ts';
import { checkPayer } from './payer.ts';

/** `circle`: the call would come back to where it comes from. `no_number`: what is stored is no number that can be called. */
type Because = RefusalReason | 'circle' | 'no_number';

/**
 * What becomes of a call to a number that its holder has forwarded; `phones` is what it would be without that. He pays for the way on
 * as for a call that he makes, so all that forbids him such a call forbids this one. Where his phones are to ring first they ring all
 * the same, and the way on alone falls away.
 */
export function forwardCall(
  arrival: CallArrival,
  profile: CalleeProfile,
  forward: Forward,
  phones: CallPlan,
  facts: OutsideFacts,
): Decision {
  const way = wayOn(arrival, profile, forward, facts);
  const rings_phones = forward.when === 'unanswered' && profile.devices.length > 0;
  if ('refused' in way) {
    if (!rings_phones) return refuseForwarding(phones.account_id, forward.to, way.refused, way.facts);
    const routing = [...phones.routing, notForwarded(forward.to, way.refused)];
    return { kind: 'authorize', plan: { ...phones, routing } };
  }
  const { sell, pack, routes, reasons } = way;
  const { ring_timeout_ms } = facts;
  const target: CallPlan['target'] = { kind: 'routes', routes: [...routes] };
  const forwarded = { to: forward.to, rate: sell.rate, source: sourceOf(sell) };
  const where = `${forward.to}, ${sell.destination}`;
  const paid = { ...phones, tariff: { ...phones.tariff, pack, forwarded } };
  const plan: CallPlan = rings_phones
    ? {
        ...paid,
        routing: [...phones.routing, `Unanswered, it is forwarded to ${where}.`, ...reasons],
        otherwise: { target, ring_timeout_ms },
      }
    : { ...paid, routing: [`${profile.number} is forwarded to ${where}.`, ...reasons], target, ring_timeout_ms };
  return { kind: 'authorize', plan };
}

/** The decision on a call whose way on is not to be had after all. */
export function withoutWayOn(plan: CallPlan, to: string, because: RefusalReason): Decision {
  const phones = withoutForward(plan, because);
  return phones === null ? refuseForwarding(plan.account_id, to, because, {}) : { kind: 'authorize', plan: phones };
}

function wayOn(
  arrival: CallArrival,
  profile: CalleeProfile,
  { to }: Forward,
  facts: OutsideFacts,
): Outside | { refused: Because; facts: Readonly<Record<string, unknown>> } {
  const claimed = arrival.claimed_caller;
  // What claims our number as its caller is a call that we sent out ourselves and that somebody sends back; and nobody calls himself.
  if (claimed !== null && [profile.number, to].some((number) => isTheSame(claimed, number)))
    return { refused: 'circle', facts: {} };
  const checked = checkPayer(profile, 'calls_out');
  if ('reason' in checked) return { refused: checked.reason, facts: {} };
  // It was checked when it was set, and is again: whatever stands there, nobody's call may end up with the police.
  const number = parseForwardable(to, profile.home_country);
  return number === null ? { refused: 'no_number', facts: {} } : priceOutside(checked.payer, number, facts);
}

/** Carriers write numbers with a plus, with zeros, or as their own country dials them: six digits of the end are telling. */
function isTheSame(claimed: string, number: string): boolean {
  const digits = claimed.replace(/[^0-9]/gu, '').replace(/^0+/u, '');
  return digits.length >= 6 && number.endsWith(digits);
}

function refuseForwarding(
  account_id: string,
  to: string,
  because: Because,
  facts: Readonly<Record<string, unknown>>,
): Decision {
  return { kind: 'refuse', reason: 'not_forwarded', account_id, facts: { forwarded_to: to, because, ...facts } };
}
