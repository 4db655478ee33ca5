import { judgeFailure } from './blame.ts';
import type { Verdict } from './blame.ts';
import type { AttemptFailure, BridgeTarget } from '../switch/switch.ts';
import type { CallPlan } from './plan.ts';
import { refusalAnswer } from './refusal.ts';
import type { RefusalReason } from './refusal.ts';
import { settleRecorded, settleUnanswered, awaitRecord } from './settling.ts';
import { armedDeadline, watch } from './talking.ts';
import type { Attempt, CallEffect, CallEvent, CallSettings, Dialling, Outcome, Step, Talking } from './state.ts';

/** Sends the call over the next route that was not tried yet. */
export function startAttempt(state: Dialling, now_ms: number, settings: CallSettings): Step {
  const attempt = state.attempts.length + 1;
  const target = targetOf(state.plan, attempt);
  if (target === null) throw new Error(`Call ${state.call_id} has no route ${attempt}.`);
  const begun: Attempt = {
    attempt,
    trunk_id: target.kind === 'trunk' ? target.trunk : null,
    carrier_id:
      state.plan.target.kind === 'routes' ? (state.plan.target.routes[attempt - 1]?.carrier_id ?? null) : null,
    started_at_ms: now_ms,
    ringing_at_ms: null,
    ended_at_ms: null,
    sip_status: null,
    cause: null,
    blame: null,
  };
  const plan = {
    call_id: state.call_id,
    attempt,
    target,
    caller_number: state.plan.caller,
    ring_timeout_ms: state.plan.ring_timeout_ms,
    limit_ms: state.held.seconds * 1000 - settings.deadline_guard_ms,
  };
  return { state: { ...state, attempts: [...state.attempts, begun] }, effects: [{ type: 'bridge', plan }] };
}

function targetOf(plan: CallPlan, attempt: number): BridgeTarget | null {
  switch (plan.target.kind) {
    case 'devices':
      return attempt === 1 ? { kind: 'devices', devices: plan.target.devices } : null;
    case 'emergency':
      return attempt === 1 ? { kind: 'trunk', trunk: plan.target.trunk_id, number: plan.target.number } : null;
    case 'routes': {
      const route = plan.target.routes[attempt - 1];
      return route === undefined ? null : { kind: 'trunk', trunk: route.trunk_id, number: route.number };
    }
  }
}

export function inDialling(state: Dialling, event: CallEvent, now_ms: number, settings: CallSettings): Step {
  switch (event.type) {
    case 'ringing':
      return {
        state: { ...state, attempts: markLast(state.attempts, { ringing_at_ms: event.at_ms }, true) },
        effects: [],
      };
    case 'answered':
      return answered(state, event.b_channel_id, event.at_ms, now_ms, settings);
    case 'attempt_failed':
      return attemptFailed(state, event.attempt, event.failure, event.at_ms, now_ms, settings);
    case 'bridged':
      // `gone`: the caller hung up between our decision and the switch; its end is told by an event of its own.
      return event.reach === 'failed' ? switchFailed(state, now_ms) : { state, effects: [] };
    case 'ended':
      return awaitRecord(state, event, { result: 'cancelled', refusal: null, blame: 'caller' }, now_ms, settings);
    case 'recorded':
      // The answer and the end were both missed, or the record overtook them.
      return event.record.answered_at_us === null
        ? { state, effects: [] }
        : settleRecorded(state, event.record, now_ms, settings);
    default:
      return { state, effects: [] };
  }
}

function answered(state: Dialling, b_channel_id: string, at_ms: number, now_ms: number, settings: CallSettings): Step {
  const talking: Talking = {
    phase: 'talking',
    call_id: state.call_id,
    leg_id: state.leg_id,
    arrival: state.arrival,
    plan: state.plan,
    held: state.held,
    attempts: state.attempts,
    grant_no: 1,
    b_channel_id,
    answered_at_ms: at_ms,
    answer_heard_at_ms: now_ms,
    renewing: null,
    tries: 0,
    last_grant: false,
    stepped_ms: 0,
  };
  return {
    state: talking,
    effects: [
      { type: 'note_answer', answered_at_ms: at_ms, deadline_at_ms: armedDeadline(talking, settings) },
      ...watch(talking, settings),
    ],
  };
}

function attemptFailed(
  state: Dialling,
  attempt: number,
  failure: AttemptFailure,
  at_ms: number,
  now_ms: number,
  settings: CallSettings,
): Step {
  // Told twice, or of an attempt before the one that runs.
  if (attempt !== state.attempts.length) return { state, effects: [] };
  const verdict = judgeFailure(failure);
  const marks = { ended_at_ms: at_ms, sip_status: failure.sip_status, cause: failure.cause, blame: verdict.blame };
  const marked: Dialling = { ...state, attempts: markLast(state.attempts, marks, false) };
  if (verdict.may_fail_over && targetOf(state.plan, attempt + 1) !== null)
    return startAttempt(marked, now_ms, settings);
  return allFailed(marked, verdict, failure, now_ms);
}

/** No route is left: the caller is told why, and what was held goes back at once. */
function allFailed(state: Dialling, verdict: Verdict, failure: AttemptFailure, now_ms: number): Step {
  const reason = reasonFor(state.plan, verdict, failure);
  const told: CallEffect =
    reason === null
      ? { type: 'hang_up', cause: verdict.cause }
      : { type: 'refuse', refusal: { call_id: state.call_id, ...refusalAnswer(reason) }, reason };
  const cause = reason === null ? verdict.cause : refusalAnswer(reason).cause;
  const outcome: Outcome = { result: verdict.result, refusal: null, blame: verdict.blame };
  const settled = settleUnanswered(state, { at_ms: now_ms, cause }, outcome);
  return { state: settled.state, effects: [told, ...settled.effects] };
}

function switchFailed(state: Dialling, now_ms: number): Step {
  const answer = refusalAnswer('outage');
  const settled = settleUnanswered(
    state,
    { at_ms: now_ms, cause: answer.cause },
    { result: 'failed', refusal: null, blame: 'us' },
  );
  const told: CallEffect = { type: 'refuse', refusal: { call_id: state.call_id, ...answer }, reason: 'outage' };
  return { state: settled.state, effects: [told, ...settled.effects] };
}

/** What the caller hears; null where the signalling says it all, as for a busy callee. */
function reasonFor(plan: CallPlan, verdict: Verdict, failure: AttemptFailure): RefusalReason | null {
  if (verdict.result === 'busy' || verdict.result === 'cancelled') return null;
  if (plan.direction === 'inbound') return failure.unreachable ? 'no_device' : 'not_answered';
  if (plan.direction === 'emergency') return 'emergency_unavailable';
  if (verdict.result === 'no_answer') return null;
  return verdict.blame === 'callee' || verdict.blame === 'caller' ? 'unknown_destination' : 'routes_failed';
}

/** Adds to the attempt that runs; with `once`, what it already knows stays. */
function markLast(attempts: readonly Attempt[], marks: Partial<Attempt>, once: boolean): readonly Attempt[] {
  const last = attempts.at(-1);
  if (last === undefined) throw new Error('No attempt runs.');
  if (once && last.ringing_at_ms !== null) return attempts;
  return [...attempts.slice(0, -1), { ...last, ...marks }];
}
