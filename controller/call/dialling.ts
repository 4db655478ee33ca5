import { judgeFailure } from './blame.ts';
import type { Verdict } from './blame.ts';
import type { AttemptFailure, BridgeTarget } from '../switch/switch.ts';
import { ringTimeoutAt, routeAt, targetAt } from './attempt_target.ts';
import type { AttemptTarget } from './attempt_target.ts';
import { chargedFor } from './forwarding.ts';
import type { CallPlan } from './plan.ts';
import { refusalAnswer } from './refusal.ts';
import type { RefusalReason } from './refusal.ts';
import { settleRecorded, settleUnanswered, awaitRecord } from './settling.ts';
import { armedDeadline, watch } from './talking.ts';
import type {
  Attempt,
  CallEffect,
  CallEvent,
  CallSettings,
  CallState,
  Dialling,
  Outcome,
  Step,
  Talking,
} from './state.ts';

/** Sends the call over the next route that was not tried yet. */
export function startAttempt(state: Dialling, now_ms: number, settings: CallSettings): Step {
  const attempt = state.attempts.length + 1;
  const to = targetAt(state.plan, attempt);
  if (to === null) throw new Error(`Call ${state.call_id} has no route ${attempt}.`);
  const target = bridgeTarget(to);
  const begun: Attempt = {
    attempt,
    trunk_id: target.kind === 'trunk' ? target.trunk : null,
    carrier_id: to.kind === 'route' ? to.route.carrier_id : null,
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
    caller_number: shownAt(state.plan, to),
    ring_timeout_ms: ringTimeoutAt(state.plan, attempt),
    limit_ms: state.held.seconds * 1000 - settings.deadline_guard_ms,
    help_code: state.plan.direction === 'emergency' ? state.plan.callee : null,
  };
  return { state: { ...state, attempts: [...state.attempts, begun] }, effects: [{ type: 'bridge', plan }] };
}

function bridgeTarget(to: AttemptTarget): BridgeTarget {
  switch (to.kind) {
    case 'devices':
      return { kind: 'devices', devices: to.devices };
    case 'voicemail':
      return to;
    case 'emergency':
      return { kind: 'trunk', trunk: to.trunk_id, number: to.number };
    case 'route':
      return { kind: 'trunk', trunk: to.route.trunk_id, number: to.route.number };
  }
}

/** A call that is forwarded shows the number that was called: it is its holder's, where the caller's is a stranger's to that carrier. */
function shownAt(plan: CallPlan, to: AttemptTarget): string | null {
  if (plan.direction === 'inbound' && to.kind === 'route') return plan.callee;
  return plan.withheld === true ? null : plan.caller;
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
      // `gone`: the caller hung up between our decision and the switch; its end is told by an event of its own. `unknown`: what is held
      // stays held, and reconciliation finds the call dialling, talking, waiting or gone.
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
  const attempt = state.attempts.length;
  const { plan, held } = chargedFor(state, attempt);
  const talking: Talking = {
    phase: 'talking',
    call_id: state.call_id,
    leg_id: state.leg_id,
    arrival: state.arrival,
    plan,
    held,
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
      { type: 'note_answer', attempt, answered_at_ms: at_ms, deadline_at_ms: armedDeadline(talking, settings) },
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
  const verdict = judgeFailure(asSeen(failure, state, at_ms), hasRung(state));
  const marks = { ended_at_ms: at_ms, sip_status: failure.sip_status, cause: failure.cause, blame: verdict.blame };
  const marked: Dialling = { ...state, attempts: markLast(state.attempts, marks, false) };
  const goes_on = verdict.may_fail_over || (isForPhones(state.plan, attempt) && isKnown(failure));
  if (goes_on && targetAt(state.plan, attempt + 1) !== null) return startAttempt(marked, now_ms, settings);
  return allFailed(marked, verdict, failure, now_ms);
}

/** A switch may take the end of an INVITE for its own patience's by the cause in it (Q.850 16 or 19, as of a 483): the time tells. */
function asSeen(failure: AttemptFailure, { plan, attempts }: Dialling, at_ms: number): AttemptFailure {
  const attempt = attempts.at(-1);
  if (!failure.timed_out || failure.sip_status === null || attempt === undefined) return failure;
  const rang_ms = at_ms - attempt.started_at_ms;
  return { ...failure, timed_out: rang_ms >= ringTimeoutAt(plan, attempt.attempt) - TIMEOUT_SLACK_MS };
}

/** The switch's clock is known to some milliseconds, and it dials some after it is told to. */
const TIMEOUT_SLACK_MS = 500;

/** Whether the callee of the latest attempt was heard to ring, or may have rung when nobody listened. */
export function hasRung(state: CallState): boolean {
  const latest = 'attempts' in state ? state.attempts.at(-1) : undefined;
  if (latest === undefined) return false;
  return latest.ringing_at_ms !== null || (state.phase === 'dialling' && state.unheard_attempt === latest.attempt);
}

/** Phones that do not answer, whatever they say, are no reason not to try what their holder wants tried otherwise. */
function isForPhones(plan: CallPlan, attempt: number): boolean {
  return targetAt(plan, attempt)?.kind === 'devices';
}

/** A failure that nobody heard of, as it came while no controller lived, may be the end of a refusal: such a call goes no further. */
function isKnown({ timed_out, unreachable, sip_status }: AttemptFailure): boolean {
  return timed_out || unreachable || sip_status !== null;
}

/** No route is left: the caller is told why, and what was held goes back at once. */
function allFailed(state: Dialling, verdict: Verdict, failure: AttemptFailure, now_ms: number): Step {
  const reason = reasonFor(state, verdict, failure);
  const told: CallEffect =
    reason === null
      ? { type: 'hang_up', cause: verdict.cause }
      : { type: 'refuse', refusal: { call_id: state.call_id, ...refusalAnswer(reason, state.arrival.source) }, reason };
  const cause = reason === null ? verdict.cause : refusalAnswer(reason, state.arrival.source).cause;
  const outcome: Outcome = { result: verdict.result, refusal: null, blame: verdict.blame };
  const settled = settleUnanswered(state, { at_ms: now_ms, cause }, outcome);
  return { state: settled.state, effects: [told, ...settled.effects] };
}

function switchFailed(state: Dialling, now_ms: number): Step {
  const answer = refusalAnswer('outage', state.arrival.source);
  const settled = settleUnanswered(
    state,
    { at_ms: now_ms, cause: answer.cause },
    { result: 'failed', refusal: null, blame: 'us' },
  );
  const told: CallEffect = { type: 'refuse', refusal: { call_id: state.call_id, ...answer }, reason: 'outage' };
  return { state: settled.state, effects: [told, ...settled.effects] };
}

/** What the caller hears; null where the signalling says it all, as for a busy callee. */
function reasonFor({ plan, attempts }: Dialling, verdict: Verdict, failure: AttemptFailure): RefusalReason | null {
  if (verdict.result === 'busy' || verdict.result === 'cancelled') return null;
  if (plan.direction === 'inbound') {
    if (verdict.result === 'failed' && routeAt(plan, attempts.length) !== null) return 'not_forwarded';
    return failure.unreachable ? 'no_device' : 'not_answered';
  }
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
