import type { SettleItem } from '../../../domain/calls/hold.ts';
import type { Posting } from '../../../domain/ledger/postings.ts';
import type { Rate } from '../../../domain/rating/rate.ts';
import type { CallPlan, Route } from '../../call/plan.ts';
import type { Attempt, Settling } from '../../call/state.ts';
import type { Held } from '../../charging/tariff.ts';
import type { SettledLeg } from '../leg.ts';
import type { GrantStory } from '../story.ts';

export const ARRIVED_AT_MS = Date.UTC(2026, 10, 24, 12, 0, 0);
export const LEG_ID = '11111111-1111-4111-8111-111111111111';
export const CALL_ID = '22222222-2222-4222-8222-222222222222';

export const pennyASecond: Rate = {
  rate_micros_per_minute: 600_000n,
  connect_fee_micros: 5_000n,
  minimum_seconds: 0,
  initial_increment_seconds: 1,
  subsequent_increment_seconds: 1,
  grace_seconds: 0,
  free_seconds: 0,
};

function route(carrier: string, carrier_id: number): Route {
  return {
    carrier_id,
    carrier,
    trunk_id: `trunk-${carrier}`,
    number: '+442071838750',
    rate: { ...pennyASecond, rate_micros_per_minute: 60_000n, connect_fee_micros: 0n },
    source: {
      deck_id: 7 + carrier_id,
      deck: `buy-${carrier}`,
      version: 3,
      prefix: '44',
      destination: 'UK',
      currency: 'EUR',
    },
  };
}

export function samplePlan(
  given: { rate?: Rate; tax_ppm?: number; wallet_id?: bigint; account_id?: string } = {},
): CallPlan {
  return {
    direction: 'outbound',
    account_id: given.account_id ?? '33333333-3333-4333-8333-333333333333',
    wallet_id: given.wallet_id ?? 1n,
    currency: 'EUR',
    time_zone: 'Europe/Berlin',
    device: 'dev-anna',
    dialled: '00442071838750',
    caller: '+49301234567',
    callee: '+442071838750',
    destination: 'United Kingdom',
    arrived_at_ms: ARRIVED_AT_MS,
    ring_timeout_ms: 90_000,
    tariff: { rate: given.rate ?? pennyASecond, tax_ppm: given.tax_ppm ?? 0, pack: null, forwarded: null },
    source: { deck_id: 7, deck: 'retail', version: 4, prefix: '4420', destination: 'United Kingdom', currency: 'EUR' },
    routing: [
      'alpha costs 0.12 EUR for 120 s: may carry the call.',
      'beta costs 0.13 EUR for 120 s: may carry the call.',
    ],
    target: { kind: 'routes', routes: [route('alpha', 1), route('beta', 2)] },
    otherwise: null,
    without_way_on: null,
    limits: { concurrent_calls_max: 10, spend_hour_max: 10n ** 15n, spend_day_max: 10n ** 15n },
  };
}

const begun = { ringing_at_ms: null, ended_at_ms: null, sip_status: null, cause: null, blame: null };

/** Alpha said 503, beta rang. */
export const failedOver: readonly Attempt[] = [
  {
    ...begun,
    attempt: 1,
    trunk_id: 'trunk-alpha',
    carrier_id: 1,
    started_at_ms: ARRIVED_AT_MS + 10,
    ended_at_ms: ARRIVED_AT_MS + 40,
    sip_status: 503,
    cause: 34,
    blame: 'carrier',
  },
  {
    ...begun,
    attempt: 2,
    trunk_id: 'trunk-beta',
    carrier_id: 2,
    started_at_ms: ARRIVED_AT_MS + 50,
    ringing_at_ms: ARRIVED_AT_MS + 206,
  },
];

export function sampleSettling(
  plan: CallPlan,
  held: Held,
  attempts: readonly Attempt[],
  leg_id = LEG_ID,
  call_id = CALL_ID,
): Settling {
  return {
    phase: 'settling',
    call_id,
    leg_id,
    arrival: {
      channel_id: 'channel-1',
      source: { kind: 'device', device: 'dev-anna' },
      dialled: plan.dialled,
      claimed_caller: null,
      arrived_at_ms: plan.arrived_at_ms,
    },
    plan,
    held,
    attempts,
    ended: { at_ms: plan.arrived_at_ms, cause: 16 },
    answered_at_ms: null,
    witnessed_ms: null,
    doubted: null,
    submitted: null,
    stepped_ms: 0,
    late_step_ms: 0,
    outcome: { result: 'answered', refusal: null, blame: 'nobody' },
  };
}

/** A leg as it is read back after that settlement. */
export function settledLegOf(item: SettleItem, plan: CallPlan, grants: readonly GrantStory[]): SettledLeg {
  return {
    ...item.cdr,
    kind: 'settled',
    leg_id: LEG_ID,
    call_id: CALL_ID,
    plan,
    facts: {},
    net_micros: item.net_micros,
    tax_micros: item.tax_micros,
    operator_loss_micros: item.loss_micros,
    currency: plan.currency,
    pack_seconds: item.pack_seconds,
    attempts: failedOver,
    grants,
    postings: postingsFor(item, plan.currency),
  };
}

function postingsFor(item: SettleItem, currency: string): Posting[] {
  const amounts: readonly [string, bigint][] = [
    ['wallet_cash', -item.net_micros - item.tax_micros],
    ['revenue', item.net_micros + item.loss_micros],
    ['tax_payable', item.tax_micros],
    ['operator_loss', -item.loss_micros],
  ];
  return amounts
    .filter(([, amount_micros]) => amount_micros !== 0n)
    .map(([account, amount_micros]) => ({ account, carrier: null, currency, amount_micros }));
}
