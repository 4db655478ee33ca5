import { explainLeg } from '../../domain/rating/explain_price.ts';
import { legBilledSeconds, legPackSeconds } from '../../domain/rating/leg_price.ts';
import { secondsFromMs, withTax } from '../../domain/rating/price.ts';
import { routeAt, targetAt } from '../call/attempt_target.ts';
import { chargedFor } from '../call/forwarding.ts';
import type { CallPlan } from '../call/plan.ts';
import { contradictionsOf } from './contradictions.ts';
import type { Leg, OpenLeg, SettledLeg, StoredAttempt } from './leg.ts';
import { sumOf } from './story.ts';
import type { AttemptStory, BillLine, RateStory, Story } from './story.ts';

/** The story of a leg. `now_ms` is the switch's wall clock: a call that lives is told up to it. */
export function composeStory(leg: Leg, now_ms: number): Story {
  return leg.kind === 'settled' ? storyOfRecord(leg) : storyOfOpenLeg(leg, now_ms);
}

function storyOfRecord(leg: SettledLeg): Story {
  const { plan } = leg;
  const rate = plan === null ? null : rateOf(plan, Math.max(1, leg.attempts.length));
  const bill = rate === null || leg.answered_at === null ? [] : billOf(leg.seconds_charged, rate, leg.pack_seconds);
  const story: Story = {
    ...recordedFacts(leg),
    state: 'over',
    time_zone: plan?.time_zone ?? 'UTC',
    deadline_at: null,
    routing: plan?.routing ?? [],
    attempts: leg.attempts.map((attempt) =>
      attemptOf(attempt, plan, attempt === leg.attempts.at(-1) && leg.result === 'answered'),
    ),
    rate,
    held_micros: sumOf(leg.grants),
    bill,
    charged_micros: leg.net_micros + leg.tax_micros,
    contradictions: [],
  };
  return { ...story, contradictions: contradictionsOf(story) };
}

/** What a story takes over from the record as it is. */
function recordedFacts(leg: SettledLeg) {
  const { call_id, leg_id, direction, device, dialled, caller, callee, destination, facts } = leg;
  // A call that was refused moved no money, but its price was in a currency.
  const currency = leg.currency ?? leg.plan?.currency ?? null;
  const { started_at, answered_at, ended_at, duration_ms, duration_source, pdd_ms } = leg;
  const { seconds_charged, seconds_billed, pack_seconds, operator_loss_micros, cost_micros, cost_currency } = leg;
  const { result, refusal, cause, blame, grants, postings } = leg;
  return {
    ...{ call_id, leg_id, direction, device, dialled, caller, callee, destination, currency, facts },
    ...{ started_at, answered_at, ended_at, duration_ms, duration_source, pdd_ms },
    ...{ seconds_charged, seconds_billed, pack_seconds, operator_loss_micros, cost_micros, cost_currency },
    ...{ result, refusal, cause, blame, grants, postings },
  };
}

/** What a bill would say were the call to end now. Its attempts are known to the controller alone until then. */
function storyOfOpenLeg(leg: OpenLeg, now_ms: number): Story {
  const { plan } = leg;
  const rate = rateOf(plan, leg.answered_attempt ?? 1);
  const duration_ms = leg.answered_at === null ? 0 : Math.max(0, Math.round(now_ms - leg.answered_at.getTime()));
  const seconds = Math.min(secondsFromMs(duration_ms), leg.seconds_granted);
  const { held } = chargedFor({ plan, held: heldOf(leg) }, leg.answered_attempt ?? 1);
  const pack_seconds = legPackSeconds(rate, seconds, held.pack_seconds);
  const bill = leg.answered_at === null ? [] : billOf(seconds, rate, pack_seconds);
  const { direction, device, dialled, caller, callee, destination, time_zone, routing, currency } = plan;
  return {
    call_id: leg.call_id,
    leg_id: leg.leg_id,
    state: leg.answered_at === null ? 'ringing' : 'talking',
    ...{ direction, device, dialled, caller, callee, destination, time_zone, routing, currency },
    started_at: new Date(plan.arrived_at_ms),
    answered_at: leg.answered_at,
    ended_at: null,
    deadline_at: leg.deadline_at,
    duration_ms,
    duration_source: 'none',
    seconds_charged: seconds,
    seconds_billed: legBilledSeconds(rate, seconds),
    pack_seconds,
    result: null,
    refusal: null,
    facts: {},
    cause: null,
    blame: 'nobody',
    pdd_ms: null,
    attempts: [],
    rate,
    grants: leg.grants,
    held_micros: leg.held_micros,
    bill,
    charged_micros: sumOf(bill),
    operator_loss_micros: 0n,
    cost_micros: 0n,
    cost_currency: null,
    postings: [],
    contradictions: [],
  };
}

/** What the leg is charged by, given which attempt answered. */
function rateOf(plan: CallPlan, attempt: number): RateStory {
  const { rate, tax_ppm, forwarded } = plan.tariff;
  const is_forwarded = forwarded !== null && routeAt(plan, attempt) !== null;
  return { rate, source: plan.source, tax_ppm, forwarded: is_forwarded ? forwarded : null };
}

function heldOf(leg: OpenLeg): { seconds: number; micros: bigint; pack_seconds: number } {
  return { seconds: leg.seconds_granted, micros: leg.held_micros, pack_seconds: leg.pack_seconds_held };
}

/** The lines of the price, worked out anew from the rates, and the tax on their sum. */
function billOf(seconds: number, rates: RateStory, pack_seconds: number): BillLine[] {
  const lines = explainLeg(rates, seconds, pack_seconds);
  const { tax } = withTax(sumOf(lines), rates.tax_ppm);
  return tax > 0n ? [...lines, { key: 'tax', part: null, seconds: 0, micros: tax }] : lines;
}

function attemptOf(stored: StoredAttempt, plan: CallPlan | null, answered: boolean): AttemptStory {
  const { attempt, trunk_id, started_at_ms, ringing_at_ms, ended_at_ms, sip_status, cause, blame } = stored;
  const carrier = plan === null ? null : (routeAt(plan, attempt)?.carrier ?? null);
  const mailbox = plan !== null && targetAt(plan, attempt)?.kind === 'voicemail' ? { mailbox: true as const } : {};
  const told = { attempt, carrier, trunk_id, started_at_ms, ringing_at_ms, ended_at_ms, sip_status, cause, blame };
  return { ...told, answered, ...mailbox };
}
