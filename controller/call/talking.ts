import type { HoldAnswer, RenewItem } from '../../domain/calls/hold.ts';
import { addGrant, heldAfter, nextGrant } from '../charging/tariff.ts';
import type { Grant } from '../charging/tariff.ts';
import { causes } from './refusal.ts';
import { awaitRecord, settleRecorded } from './settling.ts';
import { spendWindow } from './spend_window.ts';
import type { CallEffect, CallEvent, CallSettings, Step, Talking } from './state.ts';

const TRIES_MAX = 4;
/** Closer to the deadline than this no renewal can still be armed in time. */
const TOO_LATE_MS = 150;
const LAST_LOOK_MS = 400;
/** A database that is away for longer than moments ends the call: whoever talks is told so much before. */
const UNHEARD_MS = 5000;

/** When the switch ends the call: where the granted seconds end, less the guard. On the switch's wall clock as it stands now. */
export function armedDeadline(state: Talking, settings: CallSettings): number {
  return state.answered_at_ms + state.stepped_ms + state.held.seconds * 1000 - settings.deadline_guard_ms;
}

/** Renewals come well before the deadline; a short grant, as they are when money runs out, is renewed in its last third. */
function renewAt(state: Talking, settings: CallSettings): number {
  const lead_ms = Math.min(settings.renew_lead_ms, Math.floor((settings.grant_seconds * 1000) / 3));
  return armedDeadline(state, settings) - lead_ms;
}

export function inTalking(state: Talking, event: CallEvent, now_ms: number, settings: CallSettings): Step {
  switch (event.type) {
    case 'timer':
      return event.name === 'overrun' ? overrun(state, now_ms, settings) : renew(state, now_ms, settings);
    case 'money_arrived':
      return renew(state, now_ms, settings);
    case 'renew_answered':
      return renewAnswered(state, event.answer, now_ms, settings);
    case 'renew_failed':
      return renewFailed(state, now_ms, settings);
    case 'clock_stepped': {
      const stepped = { ...state, stepped_ms: state.stepped_ms + event.step_ms };
      return { state: stepped, effects: armed(stepped, settings) };
    }
    case 'ended': {
      const outcome = { result: 'answered', refusal: null, blame: 'nobody' } as const;
      return awaitRecord(state, event, outcome, now_ms, settings);
    }
    case 'recorded':
      return event.record.answered_at_us === null
        ? { state, effects: [] }
        : settleRecorded(state, event.record, now_ms, settings);
    default:
      return { state, effects: [] };
  }
}

function renew(state: Talking, now_ms: number, settings: CallSettings): Step {
  if (state.renewing !== null) return { state, effects: [] };
  // No call is longer, whatever money there is: who talks is told that it ends soon.
  if (state.held.seconds >= settings.call_seconds_max) return warned(state);
  if (now_ms > armedDeadline(state, settings) - TOO_LATE_MS) return { state, effects: [] };
  const grant = grantWithin(state, settings, null);
  return grant === null ? { state, effects: [] } : ask({ ...state, tries: 1 }, grant, now_ms, settings);
}

function grantWithin(state: Talking, settings: CallSettings, budget_micros: bigint | null): Grant | null {
  const wanted = state.held.seconds + settings.grant_seconds;
  return nextGrant(state.plan.tariff, state.held, wanted, settings.call_seconds_max, budget_micros);
}

function ask(state: Talking, grant: Grant, now_ms: number, settings: CallSettings): Step {
  const after = { ...state, held: addGrant(state.held, grant) };
  const item: RenewItem = {
    leg_id: state.leg_id,
    wallet_id: state.plan.wallet_id,
    grant_no: state.grant_no + 1,
    micros: grant.micros,
    seconds: grant.seconds,
    pack_seconds: grant.pack_seconds,
    deadline_at: new Date(armedDeadline(after, settings)),
    now_at: new Date(now_ms),
    ...spendWindow(state.plan, now_ms),
  };
  return { state: { ...state, renewing: grant }, effects: [{ type: 'renew', item }] };
}

function renewAnswered(state: Talking, answer: HoldAnswer, now_ms: number, settings: CallSettings): Step {
  if (state.renewing === null) return { state, effects: [] };
  const idle: Talking = { ...state, renewing: null };
  switch (answer.verdict) {
    case 'granted':
      return renewed({ ...idle, held: addGrant(state.held, state.renewing) }, settings);
    case 'replay':
      return renewed(
        { ...idle, held: heldAfter(state.plan.tariff, state.held, answer.held_micros, answer.seconds_granted) },
        settings,
      );
    case 'short':
    case 'spend_hour':
    case 'spend_day':
      return renewLess(idle, answer, now_ms, settings);
    case 'pack_short':
      return askAgain(
        { ...idle, plan: { ...state.plan, tariff: { ...state.plan.tariff, pack: null } } },
        null,
        now_ms,
        settings,
      );
    default:
      // closed, fenced: somebody else settles this call; its deadline stands.
      return { state: idle, effects: [] };
  }
}

function renewLess(state: Talking, answer: HoldAnswer, now_ms: number, settings: CallSettings): Step {
  const share = state.tries === 1 ? answer.free_micros / BigInt(Math.max(1, answer.open_calls)) : answer.free_micros;
  const affordable = [share, answer.free_micros].find((budget) => grantWithin(state, settings, budget) !== null);
  if (affordable !== undefined && state.tries < TRIES_MAX) return askAgain(state, affordable, now_ms, settings);
  const told = warned(state);
  const waiting = retryLater(told.state, settings.last_grant_retry_ms, now_ms, settings);
  return { state: waiting.state, effects: [...told.effects, ...waiting.effects] };
}

/** Once for each grant that may be the last. */
function warned(state: Talking): { state: Talking; effects: readonly CallEffect[] } {
  return { state: { ...state, last_grant: true }, effects: state.last_grant ? [] : [{ type: 'warn' }] };
}

/** The money is held or it is not: the number of the grant makes asking again safe either way. */
function renewFailed(state: Talking, now_ms: number, settings: CallSettings): Step {
  const idle: Talking = { ...state, renewing: null, tries: 0 };
  const ends_soon = now_ms > armedDeadline(state, settings) - UNHEARD_MS;
  const told = ends_soon ? warned(idle) : { state: idle, effects: [] };
  const waiting = retryLater(told.state, Math.min(500, settings.last_grant_retry_ms), now_ms, settings);
  return { state: waiting.state, effects: [...told.effects, ...waiting.effects] };
}

function askAgain(state: Talking, budget_micros: bigint | null, now_ms: number, settings: CallSettings): Step {
  const grant = grantWithin(state, settings, budget_micros);
  return grant === null ? { state, effects: [] } : ask({ ...state, tries: state.tries + 1 }, grant, now_ms, settings);
}

/** Money first, then the deadline: what the switch is armed with is always paid for. */
function renewed(state: Talking, settings: CallSettings): Step {
  const next: Talking = { ...state, grant_no: state.grant_no + 1, last_grant: false, tries: 0 };
  return { state: next, effects: armed(next, settings) };
}

function armed(state: Talking, settings: CallSettings): readonly CallEffect[] {
  return [
    { type: 'arm', b_channel_id: state.b_channel_id, deadline_at_ms: armedDeadline(state, settings) },
    ...watch(state, settings),
  ];
}

/** The timers of a call that is up: to renew before the deadline, and to see after it that the switch ended the call. */
export function watch(state: Talking, settings: CallSettings): readonly CallEffect[] {
  return [
    { type: 'timer', name: 'renew', at_ms: renewAt(state, settings) },
    { type: 'timer', name: 'overrun', at_ms: armedDeadline(state, settings) + settings.overrun_ms },
  ];
}

/** The switch ends calls by itself; one that it forgot is hung up from here, again and again until it is gone. */
function overrun(state: Talking, now_ms: number, settings: CallSettings): Step {
  return {
    state,
    effects: [
      { type: 'hang_up', cause: causes.normal },
      { type: 'timer', name: 'overrun', at_ms: now_ms + settings.overrun_ms },
    ],
  };
}

/** However short the rest is: there is one last look just before the deadline. */
function retryLater(
  state: Talking,
  wait_ms: number,
  now_ms: number,
  settings: CallSettings,
): { state: Talking; effects: readonly CallEffect[] } {
  const last_ms = armedDeadline(state, settings) - LAST_LOOK_MS;
  const at_ms = Math.min(now_ms + wait_ms, last_ms);
  return { state, effects: now_ms < last_ms ? [{ type: 'timer', name: 'renew', at_ms }] : [] };
}
