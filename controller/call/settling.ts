import type { HoldAnswer } from '../../domain/calls/hold.ts';
import type { Held } from '../charging/tariff.ts';
import type { SwitchRecord } from '../switch/switch.ts';
import type { CallPlan } from './plan.ts';
import { settlementOf } from './settlement.ts';
import type { Duration } from './settlement.ts';
import type {
  Attempt,
  CallEffect,
  CallEvent,
  CallIdentity,
  CallSettings,
  Dialling,
  Ended,
  Outcome,
  Settling,
  Step,
  Talking,
} from './state.ts';

/** A record that differs from what was witnessed by more than this is suspected of a step of the switch's clock. */
const DOUBT_MS = 1500;
/** A step explains a difference when the two agree to within this. */
const EXPLAINED_MS = 500;

/** A call for which money is held: what the phases after the hold have in common. */
interface HeldCall extends CallIdentity {
  plan: CallPlan;
  held: Held;
  attempts: readonly Attempt[];
}

const answered: Outcome = { result: 'answered', refusal: null, blame: 'nobody' };

/** Gives back all that is held for a call that nobody answered. */
export function settleUnanswered(call: HeldCall, ended: Ended, outcome: Outcome): Step {
  const state: Settling = { ...settlingOf(call, ended, outcome), answered_at_ms: null };
  return submit(state, {
    duration_ms: 0,
    source: 'none',
    started_at_ms: call.plan.arrived_at_ms,
    answered_at_ms: null,
    ended_at_ms: ended.at_ms,
    cause: ended.cause,
  });
}

/** The A-leg is gone; how long the call lasted is in the switch's record, which comes next. */
export function awaitRecord(
  call: Dialling | Talking,
  ended: Ended,
  outcome: Outcome,
  now_ms: number,
  settings: CallSettings,
): Step {
  return { state: witnessed(call, ended, outcome, now_ms), effects: [recordTimer(now_ms, settings)] };
}

/**
 * The record of an answered call came before any word of its end. A step of the clock that ends the call at once is written into
 * the record before anybody has read that clock again, so this record too is measured against what was witnessed.
 */
export function settleRecorded(
  call: Dialling | Talking,
  record: SwitchRecord,
  now_ms: number,
  settings: CallSettings,
): Step {
  const ended = { at_ms: usToMs(record.ended_at_us), cause: record.cause };
  const state = witnessed(call, ended, answered, now_ms);
  return isDoubtful(state, record)
    ? { state: { ...state, doubted: record }, effects: [recordTimer(now_ms, settings)] }
    : submit(state, recordedDuration(state, record));
}

function witnessed(call: Dialling | Talking, ended: Ended, outcome: Outcome, now_ms: number): Settling {
  const is_witnessed = call.phase === 'talking' && ended.inferred !== true;
  const witnessed_ms = is_witnessed ? Math.max(0, now_ms - call.answer_heard_at_ms - call.stepped_ms) : null;
  return { ...settlingOf(call, ended, outcome), witnessed_ms };
}

function recordTimer(now_ms: number, settings: CallSettings): CallEffect {
  return { type: 'timer', name: 'record', at_ms: now_ms + settings.record_wait_ms };
}

export function inSettling(state: Settling, event: CallEvent): Step {
  switch (event.type) {
    case 'recorded':
      return recorded(state, event.record);
    case 'clock_stepped':
      return clockStepped(state, event.step_ms);
    case 'timer':
      return event.name === 'record' && state.submitted === null ? submitWhatIsKnown(state) : { state, effects: [] };
    case 'settled':
      return settled(state, event.answer);
    default:
      return { state, effects: [] };
  }
}

function recorded(state: Settling, record: SwitchRecord): Step {
  if (state.submitted !== null) return { state, effects: [] };
  // A record that knows of no answer, of a call that we heard answered, is not this call's last word.
  if (record.answered_at_us === null && state.answered_at_ms !== null) return { state, effects: [] };
  return isDoubtful(state, record) ? doubt(state, record) : submit(state, recordedDuration(state, record));
}

/** A step that was noticed since the end, and before the record came, may be in that record or not. */
function doubt(state: Settling, record: SwitchRecord): Step {
  const doubting = { ...state, doubted: record };
  return explained(doubting) ?? { state: doubting, effects: [] };
}

function isDoubtful(state: Settling, record: SwitchRecord): boolean {
  return state.witnessed_ms !== null && Math.abs(recordedMs(state, record) - state.witnessed_ms) > DOUBT_MS;
}

/** A step that is noticed after the end still counts, where it explains why the record and the witness disagree. */
function clockStepped(state: Settling, step_ms: number): Step {
  if (state.submitted !== null) return { state, effects: [] };
  const noticed = { ...state, late_step_ms: state.late_step_ms + step_ms };
  return explained(noticed) ?? { state: noticed, effects: [] };
}

function explained(state: Settling): Step | null {
  const { doubted, witnessed_ms, late_step_ms } = state;
  if (doubted === null || witnessed_ms === null) return null;
  if (Math.abs(recordedMs(state, doubted) - witnessed_ms - late_step_ms) > EXPLAINED_MS) return null;
  const known = { ...state, stepped_ms: state.stepped_ms + late_step_ms };
  return submit(known, recordedDuration(known, doubted));
}

function settled(state: Settling, answer: HoldAnswer): Step {
  if (answer.verdict === 'over_held') {
    throw new Error(
      `Leg ${state.leg_id} holds ${answer.held_micros} micros, less than it was thought to: ${state.held.micros}.`,
    );
  }
  return {
    state: { phase: 'over', call_id: state.call_id, leg_id: state.leg_id, arrival: state.arrival },
    effects: answer.verdict === 'unknown' ? recordOfUnheld(state) : [],
  };
}

/** A call for help goes out without a hold where none could be had; that it was made is recorded all the same. */
function recordOfUnheld(state: Settling): readonly CallEffect[] {
  const { submitted, plan, call_id, leg_id } = state;
  if (submitted === null || plan.direction !== 'emergency') return [];
  const record = { ...submitted.cdr, leg_id, call_id, account_id: plan.account_id, snapshot: plan };
  return [{ type: 'record_unheld', record }];
}

function settlingOf(call: HeldCall | Dialling | Talking, ended: Ended, outcome: Outcome): Settling {
  const talking = 'phase' in call && call.phase === 'talking' ? call : null;
  return {
    phase: 'settling',
    call_id: call.call_id,
    leg_id: call.leg_id,
    arrival: call.arrival,
    plan: call.plan,
    held: call.held,
    attempts: call.attempts,
    ended: { at_ms: ended.at_ms, cause: ended.cause, inferred: ended.inferred ?? false },
    answered_at_ms: talking?.answered_at_ms ?? null,
    witnessed_ms: null,
    doubted: null,
    submitted: null,
    stepped_ms: talking?.stepped_ms ?? 0,
    late_step_ms: 0,
    outcome,
  };
}

function submit(state: Settling, duration: Duration): Step {
  const item = settlementOf(state, duration);
  return { state: { ...state, submitted: item }, effects: [{ type: 'settle', item }] };
}

function submitWhatIsKnown(state: Settling): Step {
  return submit(state, state.doubted === null ? observedDuration(state) : recordedDuration(state, state.doubted));
}

/** By the switch's own record. A step of its wall clock in mid-call is taken out, as it is no second that anybody talked. */
function recordedDuration(state: Settling, record: SwitchRecord): Duration {
  const answered_us = record.answered_at_us;
  return {
    duration_ms: Math.max(0, recordedMs(state, record)),
    source: state.stepped_ms === 0 ? 'record' : 'monotonic',
    started_at_ms: state.plan.arrived_at_ms,
    answered_at_ms: answered_us === null ? null : usToMs(answered_us),
    ended_at_ms: usToMs(record.ended_at_us),
    // The event of the end knows more than the record's summary.
    cause: state.ended.cause,
  };
}

/** Below 0 where the clock was put back and nobody has noticed yet. */
function recordedMs(state: Settling, { answered_at_us, ended_at_us }: SwitchRecord): number {
  return answered_at_us === null ? 0 : usToMs(ended_at_us - answered_at_us) - state.stepped_ms;
}

/** By the times of the events, where the switch left no record. */
function observedDuration(state: Settling): Duration {
  const duration_ms = state.answered_at_ms === null ? 0 : state.ended.at_ms - state.answered_at_ms - state.stepped_ms;
  return {
    duration_ms: Math.max(0, Math.round(duration_ms)),
    source: state.answered_at_ms === null ? 'none' : state.ended.inferred === true ? 'proof_of_life' : 'events',
    started_at_ms: state.plan.arrived_at_ms,
    answered_at_ms: state.answered_at_ms,
    ended_at_ms: state.ended.at_ms,
    cause: state.ended.cause,
  };
}

/** Whole milliseconds that have passed. */
function usToMs(us: bigint): number {
  return Number(us / 1000n);
}
