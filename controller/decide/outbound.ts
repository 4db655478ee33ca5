import type { CallerProfile, UsablePack } from '../../domain/accounts/caller_profile.ts';
import { formatMoney } from '../../domain/money/format_money.ts';
import { parseDialled } from '../../domain/numbers/dialled.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import type { RateRef } from '../../domain/rating/rate_deck.ts';
import type { CallPlan } from '../call/plan.ts';
import type { RefusalReason } from '../call/refusal.ts';
import type { Decision } from '../call/state.ts';
import { sourceOf } from '../routing/rate_book.ts';
import type { RateBook } from '../routing/rate_book.ts';
import type { CallArrival } from '../switch/switch.ts';
import { emergencyPlan } from './emergency.ts';
import { checkPayer } from './payer.ts';
import type { Payer } from './payer.ts';

export interface OutboundFacts {
  profile: CallerProfile | null;
  book: RateBook;
  /** How many calls are up on a trunk. */
  callsOn: (trunk_id: string) => number;
  ring_timeout_ms: number;
}

/** What becomes of a call that one of our devices makes. Pure: everything it needs to know is handed in. */
export function decideOutbound(arrival: CallArrival, facts: OutboundFacts): Decision {
  const { profile } = facts;
  if (profile === null) return refuse('unknown_device', null);
  const dialled = parseDialled(arrival.dialled, profile.home_country);
  // Help is decided before money, restrictions and limits: nobody is refused an ambulance for an unpaid bill.
  if (dialled.kind === 'emergency') {
    const trunk_id = facts.book.emergencyTrunk(profile.home_country);
    if (trunk_id === null) return refuse('emergency_unavailable', profile.account_id, { code: dialled.code });
    return { kind: 'authorize', plan: emergencyPlan(arrival, profile, dialled.code, trunk_id, facts.ring_timeout_ms) };
  }
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
  { book, callsOn, ring_timeout_ms }: OutboundFacts,
): Decision {
  const { account_id } = payer;
  const blocked = payer.limits.blocked_prefixes.find((prefix) => number.startsWith(prefix, 1));
  if (blocked !== undefined) return refuse('prefix_blocked', account_id, { prefix: blocked });
  const sell = book.sell(number, payer.sell_deck);
  if (sell === null || sell.deck.currency !== payer.currency)
    return refuse('unknown_destination', account_id, { number });
  if (sell.rate.rate_micros_per_minute > payer.limits.rate_micros_per_minute_max) {
    const rate = formatMoney(sell.rate.rate_micros_per_minute, sell.deck.currency);
    return refuse('rate_too_high', account_id, { destination: sell.destination, rate_per_minute: rate });
  }
  if (profile.caller_number === null) return refuse('caller_id', account_id);
  const { routes, reasons } = book.route(number, sell, callsOn);
  if (routes.length === 0) return refuse('no_route', account_id, { destination: sell.destination, reasons });
  const plan: CallPlan = {
    direction: 'outbound',
    account_id,
    wallet_id: payer.wallet_id,
    currency: payer.currency,
    time_zone: payer.time_zone,
    device: profile.device,
    dialled: arrival.dialled.slice(0, 80),
    caller: profile.caller_number,
    callee: number,
    destination: sell.destination,
    arrived_at_ms: arrival.arrived_at_ms,
    ring_timeout_ms,
    tariff: { rate: sell.rate, tax_ppm: payer.tax_ppm, pack: packFor(number, sell, payer.packs) },
    source: sourceOf(sell),
    routing: [
      ...(profile.claim_refused
        ? ["The number that the phone asked to show is not the account's; its own is shown."]
        : []),
      ...reasons,
    ],
    target: { kind: 'routes', routes: [...routes] },
    limits: limitsOf(payer),
  };
  return { kind: 'authorize', plan };
}

/** The first pack, in the order in which packs are spent, that covers the destination. A free destination uses up none. */
function packFor(number: E164, sell: RateRef, packs: readonly UsablePack[]): CallPlan['tariff']['pack'] {
  if (sell.rate.rate_micros_per_minute === 0n) return null;
  const pack = packs.find((one) => one.prefixes.some((prefix) => number.startsWith(prefix, 1)));
  return pack === undefined ? null : { id: pack.id, seconds_available: pack.seconds_free };
}

export function limitsOf(payer: Payer): CallPlan['limits'] {
  return {
    concurrent_calls_max: payer.limits.concurrent_calls_max,
    spend_hour_max: payer.limits.spend_micros_per_hour_max,
    spend_day_max: payer.limits.spend_micros_per_day_max,
  };
}

function refuse(
  reason: RefusalReason,
  account_id: string | null,
  facts: Readonly<Record<string, unknown>> = {},
): Decision {
  return { kind: 'refuse', reason, account_id, facts };
}
