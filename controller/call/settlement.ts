import type { CallRecord, SettleItem, UnheldRecord } from '../../domain/calls/hold.ts';
import { legBilledSeconds, legPackSeconds, legPrice } from '../../domain/rating/leg_price.ts';
import { price, secondsFromMs } from '../../domain/rating/price.ts';
import { routeAt } from './attempt_target.ts';
import { chargedFor } from './forwarding.ts';
import { spendWindow } from './spend_window.ts';
import type { CallPlan } from './plan.ts';
import { refusalAnswer } from './refusal.ts';
import type { Attempt, CallIdentity, Decision, Ended, Outcome, Settling } from './state.ts';

/** How long a call lasted, and who says so. Times are the switch's. */
export interface Duration {
  duration_ms: number;
  source: CallRecord['duration_source'];
  started_at_ms: number;
  answered_at_ms: number | null;
  ended_at_ms: number;
  cause: number;
}

/**
 * The settlement of a call: the price of its whole seconds, but never more than was granted. What it lasted beyond the
 * grant was the switch's lateness, not the customer's wish, and is booked to the operator.
 */
export function settlementOf(state: Settling, duration: Duration): SettleItem {
  const { plan, held } = chargedFor(state, state.attempts.length);
  const seconds = duration.answered_at_ms === null ? 0 : secondsFromMs(duration.duration_ms);
  const charged = Math.min(seconds, held.seconds);
  const pack_seconds = legPackSeconds(plan.tariff, charged, held.pack_seconds);
  const due = legPrice(plan.tariff, charged, held.pack_seconds);
  const whole = legPrice(plan.tariff, seconds, held.pack_seconds);
  const now_window = spendWindow(plan, duration.ended_at_ms);
  return {
    leg_id: state.leg_id,
    wallet_id: plan.wallet_id,
    net_micros: due.net,
    tax_micros: due.tax,
    loss_micros: whole.net - due.net,
    pack_seconds,
    spend_hour: now_window.spend_hour,
    spend_day: now_window.spend_day,
    cdr: {
      ...partiesOf(plan),
      ...winnerOf(plan, state.attempts, seconds),
      started_at: new Date(duration.started_at_ms),
      answered_at: duration.answered_at_ms === null ? null : new Date(duration.answered_at_ms),
      ended_at: new Date(duration.ended_at_ms),
      duration_ms: duration.answered_at_ms === null ? 0 : duration.duration_ms,
      duration_source: duration.source,
      seconds_charged: charged,
      seconds_billed: legBilledSeconds(plan.tariff, charged),
      ...outcomeOf(state.outcome, duration),
      pdd_ms: pddOf(plan.arrived_at_ms, state.attempts, duration.answered_at_ms),
      attempts: state.attempts,
    },
  };
}

function outcomeOf(outcome: Outcome, duration: Duration): Pick<CallRecord, 'result' | 'refusal' | 'blame' | 'cause'> {
  const answered = duration.answered_at_ms !== null;
  return {
    result: answered ? 'answered' : outcome.result,
    refusal: answered ? null : outcome.refusal,
    blame: answered ? 'nobody' : outcome.blame,
    cause: duration.cause,
  };
}

function partiesOf(
  plan: CallPlan,
): Pick<CallRecord, 'direction' | 'device' | 'dialled' | 'caller' | 'callee' | 'destination'> {
  const { direction, device, dialled, caller, callee, destination } = plan;
  return { direction, device, dialled, caller, callee, destination };
}

/** The carrier of the last attempt, and what it charges us for the seconds that the call really lasted. */
function winnerOf(
  plan: CallPlan,
  attempts: readonly Attempt[],
  seconds: number,
): Pick<CallRecord, 'carrier_id' | 'trunk_id' | 'cost_micros' | 'cost_currency'> {
  const route = routeAt(plan, attempts.length);
  if (route === null) {
    const trunk_id = plan.target.kind === 'emergency' ? plan.target.trunk_id : null;
    return { carrier_id: null, trunk_id, cost_micros: 0n, cost_currency: null };
  }
  return {
    carrier_id: route.carrier_id,
    trunk_id: route.trunk_id,
    cost_micros: price(seconds, route.rate),
    cost_currency: route.source.currency,
  };
}

/** Post-dial delay: from the arrival of the call to the first sign of the callee. */
function pddOf(arrived_at_ms: number, attempts: readonly Attempt[], answered_at_ms: number | null): number | null {
  const first_sign = attempts.find((attempt) => attempt.ringing_at_ms !== null)?.ringing_at_ms ?? answered_at_ms;
  return first_sign === null ? null : Math.max(0, Math.round(first_sign - arrived_at_ms));
}

/** The record of a call that was refused, or given up by the caller, before any money was held. */
export function unheldRecord(
  identity: CallIdentity,
  decision: Extract<Decision, { kind: 'refuse' }> | null,
  plan: CallPlan | null,
  ended: Ended,
): UnheldRecord {
  const { arrival } = identity;
  const direction = plan?.direction ?? (arrival.source.kind === 'device' ? 'outbound' : 'inbound');
  return {
    leg_id: identity.leg_id,
    call_id: identity.call_id,
    account_id: plan?.account_id ?? decision?.account_id ?? null,
    started_at: new Date(arrival.arrived_at_ms),
    direction,
    device: arrival.source.kind === 'device' ? arrival.source.device : null,
    dialled: arrival.dialled.slice(0, 80),
    caller: plan?.caller ?? null,
    callee: plan?.callee ?? null,
    destination: plan?.destination ?? null,
    answered_at: null,
    ended_at: new Date(ended.at_ms),
    duration_ms: 0,
    duration_source: 'none',
    seconds_charged: 0,
    seconds_billed: 0,
    cost_micros: 0n,
    cost_currency: null,
    // A caller that hung up before the decision was refused nothing, but no other result fits a call without a payer.
    result: 'refused',
    refusal: decision?.reason ?? 'cancelled_by_caller',
    cause: decision === null ? ended.cause : refusalAnswer(decision.reason, arrival.source).cause,
    blame: decision?.reason === 'outage' || decision?.reason === 'draining' ? 'us' : 'caller',
    pdd_ms: null,
    carrier_id: null,
    trunk_id: arrival.source.kind === 'trunk' ? arrival.source.trunk : null,
    attempts: [],
    snapshot: plan ?? decision?.facts ?? {},
  };
}
