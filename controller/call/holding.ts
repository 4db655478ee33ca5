import type { HoldAnswer, AuthorizeItem } from '../../domain/calls/hold.ts';
import { nextGrant, nothingHeld } from '../charging/tariff.ts';
import type { Held } from '../charging/tariff.ts';
import { ringingMsMax } from './attempt_target.ts';
import { startAttempt } from './dialling.ts';
import { withoutForward } from './forwarding.ts';
import type { CallPlan } from './plan.ts';
import { refusalAnswer } from './refusal.ts';
import type { RefusalReason } from './refusal.ts';
import { settleUnanswered } from './settling.ts';
import { unheldRecord } from './settlement.ts';
import { spendWindow } from './spend_window.ts';
import type { CallEvent, CallIdentity, CallSettings, Deciding, Decision, Ended, Holding, Step } from './state.ts';

/** How often a wallet that others draw from at the same moment is asked again before the call is refused. */
const TRIES_MAX = 4;

export function inDeciding(state: Deciding, event: CallEvent, now_ms: number, settings: CallSettings): Step {
  if (event.type === 'ended') return { state: { ...state, ended: event }, effects: [] };
  if (event.type !== 'decided') return { state, effects: [] };
  if (state.ended !== null) return giveUp(state, null, state.ended);
  if (event.decision.kind === 'refuse') return refuseUnheld(state, event.decision, null, now_ms);
  return ask(identityOf(state), event.decision.plan, 1, null, null, now_ms, settings);
}

export function inHolding(state: Holding, event: CallEvent, now_ms: number, settings: CallSettings): Step {
  switch (event.type) {
    case 'ended':
      return { state: { ...state, ended: event }, effects: [] };
    case 'hold_answered':
      return holdAnswered(state, event.answer, now_ms, settings);
    case 'hold_failed':
      return notHeld(state, 'outage', now_ms, settings);
    default:
      return { state, effects: [] };
  }
}

function holdAnswered(state: Holding, answer: HoldAnswer, now_ms: number, settings: CallSettings): Step {
  switch (answer.verdict) {
    case 'granted':
      return held(state, state.asked, now_ms, settings);
    case 'replay':
      return held(
        state,
        { ...state.asked, micros: answer.held_micros, seconds: answer.seconds_granted },
        now_ms,
        settings,
      );
    case 'short':
      return askForLess(state, answer, 'no_money', now_ms, settings);
    case 'spend_hour':
    case 'spend_day':
      return askForLess(state, answer, answer.verdict, now_ms, settings);
    case 'pack_short': {
      // Another call of the same account took the pack's seconds; what is left is paid with money.
      const plan = { ...state.plan, tariff: { ...state.plan.tariff, pack: null } };
      return ask(identityOf(state), plan, state.tries + 1, null, state.ended, now_ms, settings);
    }
    case 'too_many_calls':
      return notHeld(state, 'concurrent_calls', now_ms, settings);
    case 'no_wallet':
      return notHeld(state, 'no_wallet', now_ms, settings);
    case 'fenced':
      // Another controller has the switch, and this call: whatever we said to the switch would be said of its call.
      return { state: { ...identityOf(state), phase: 'over' }, effects: [] };
    case 'held':
    case 'settled':
    case 'closed':
    case 'unknown':
    case 'over_held':
      return notHeld(state, 'outage', now_ms, settings);
  }
}

/** Asks for what the wallet can still give: first a fair share among its calls, in the end whatever is left. */
function askForLess(
  state: Holding,
  answer: HoldAnswer,
  reason: RefusalReason,
  now_ms: number,
  settings: CallSettings,
): Step {
  const share = state.tries === 1 ? answer.free_micros / BigInt(answer.open_calls + 1) : answer.free_micros;
  const budgets = [share, answer.free_micros];
  const affordable = budgets.find((budget) => firstGrant(state.plan, settings, budget) !== null);
  if (affordable === undefined || state.tries >= TRIES_MAX) return holdForPhones(state, reason, now_ms, settings);
  return ask(identityOf(state), state.plan, state.tries + 1, affordable, state.ended, now_ms, settings);
}

/** Money that does not pay for the way on as well may still pay for the holder's own phones. */
function holdForPhones(state: Holding, reason: RefusalReason, now_ms: number, settings: CallSettings): Step {
  const plan = withoutForward(state.plan, reason);
  if (plan === null) return notHeld(state, reason, now_ms, settings);
  return ask(identityOf(state), plan, 1, null, state.ended, now_ms, settings);
}

/** What is held before a call goes out; null where the budget does not pay for a second. */
export function firstGrant(plan: CallPlan, settings: CallSettings, budget_micros: bigint | null): Held | null {
  return nextGrant(plan.tariff, nothingHeld, settings.grant_seconds, settings.call_seconds_max, budget_micros);
}

function ask(
  identity: CallIdentity,
  plan: CallPlan,
  tries: number,
  budget_micros: bigint | null,
  ended: Ended | null,
  now_ms: number,
  settings: CallSettings,
): Step {
  const asked = firstGrant(plan, settings, budget_micros);
  if (asked === null) throw new Error(`A first grant of ${settings.grant_seconds} seconds came out as none.`);
  const item: AuthorizeItem = {
    leg_id: identity.leg_id,
    call_id: identity.call_id,
    wallet_id: plan.wallet_id,
    channel_id: identity.arrival.channel_id,
    hold_micros: asked.micros,
    seconds: asked.seconds,
    pack_id: asked.pack_seconds > 0 ? (plan.tariff.pack?.id ?? null) : null,
    pack_seconds: asked.pack_seconds,
    deadline_at: new Date(now_ms + ringingMsMax(plan) + asked.seconds * 1000),
    now_at: new Date(now_ms),
    concurrent_calls_max: plan.limits.concurrent_calls_max,
    snapshot: plan,
    ...spendWindow(plan, now_ms),
  };
  return { state: { ...identity, phase: 'holding', plan, asked, tries, ended }, effects: [{ type: 'hold', item }] };
}

function held(state: Holding, granted: Held, now_ms: number, settings: CallSettings): Step {
  const identity = identityOf(state);
  if (state.ended !== null) {
    return settleUnanswered({ ...identity, plan: state.plan, held: granted, attempts: [] }, state.ended, {
      result: 'cancelled',
      refusal: null,
      blame: 'caller',
    });
  }
  return startAttempt(
    { ...identity, phase: 'dialling', plan: state.plan, held: granted, attempts: [] },
    now_ms,
    settings,
  );
}

/** A call for help costs nothing and goes out whatever the wallet or the database says; any other call is refused. */
function notHeld(state: Holding, reason: RefusalReason, now_ms: number, settings: CallSettings): Step {
  return state.plan.direction === 'emergency'
    ? held(state, state.asked, now_ms, settings)
    : refuseHolding(state, reason, now_ms);
}

function refuseHolding(state: Holding, reason: RefusalReason, now_ms: number): Step {
  const decision = { kind: 'refuse', reason, account_id: state.plan.account_id, facts: {} } as const;
  if (state.ended !== null) return giveUp(state, state.plan, state.ended);
  // The callee who cannot pay for a call to its own number is nobody the caller should hear about.
  const inbound_reason = state.plan.direction === 'inbound' && reason === 'no_money' ? 'callee_cannot_pay' : reason;
  return refuseUnheld(state, { ...decision, reason: inbound_reason }, state.plan, now_ms);
}

function refuseUnheld(
  state: CallIdentity,
  decision: Extract<Decision, { kind: 'refuse' }>,
  plan: CallPlan | null,
  now_ms: number,
): Step {
  const identity = identityOf(state);
  const { prompt, cause } = refusalAnswer(decision.reason, identity.arrival.source);
  const record = unheldRecord(identity, decision, plan, { at_ms: now_ms, cause });
  return {
    state: { ...identity, phase: 'over' },
    effects: [
      { type: 'refuse', refusal: { call_id: identity.call_id, prompt, cause }, reason: decision.reason },
      { type: 'record_unheld', record },
    ],
  };
}

function giveUp(state: CallIdentity, plan: CallPlan | null, ended: Ended): Step {
  const identity = identityOf(state);
  return {
    state: { ...identity, phase: 'over' },
    effects: [{ type: 'record_unheld', record: unheldRecord(identity, null, plan, ended) }],
  };
}

function identityOf(state: CallIdentity): CallIdentity {
  return { call_id: state.call_id, leg_id: state.leg_id, arrival: state.arrival };
}
