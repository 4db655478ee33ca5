import type { HoldAnswer, AuthorizeItem, RenewItem, SettleItem, UnheldRecord } from '../../domain/calls/hold.ts';
import type { Grant, Held } from '../charging/tariff.ts';
import type { AttemptFailure, BridgePlan, CallArrival, Reach, Refusal, SwitchRecord } from '../switch/switch.ts';
import type { Blame } from './blame.ts';
import type { CallPlan } from './plan.ts';
import type { RefusalReason } from './refusal.ts';

/**
 * One call, from its arrival to its settlement. `transition` is pure; a session runs the effects.
 *
 *                 decided: refuse                   hold refused
 *      deciding ───────────────────> over     holding ─────────> over
 *         │ decided: authorize                   ↑  │ held
 *         └──────────────────────────────────────┘  ▼
 *                             attempt_failed ┌── dialling ──┐ all failed, or the A-leg ended
 *                             next route     └──────┘ │     └──────────────────────────────┐
 *                                                     │ answered                           ▼
 *                              renew_due ┌──────── talking ───── ended, recorded ────> settling ──settled──> over
 *                              hold, arm └────────────┘
 *
 * `over` still takes the late events of the switch and does nothing with them.
 */
export type CallState = Deciding | Holding | Dialling | Talking | Settling | Over;

/** What is known of every call from its first moment. */
export interface CallIdentity {
  call_id: string;
  /** The side of the call that is charged; an emergency's is charged nothing. */
  leg_id: string;
  arrival: CallArrival;
}

export interface Deciding extends CallIdentity {
  phase: 'deciding';
  /** Set when the caller hung up before we had decided. */
  ended: Ended | null;
}

export interface Holding extends CallIdentity {
  phase: 'holding';
  plan: CallPlan;
  asked: Held;
  tries: number;
  ended: Ended | null;
}

/** An attempt at the B-leg, as it goes into the record. */
export interface Attempt {
  attempt: number;
  trunk_id: string | null;
  carrier_id: number | null;
  started_at_ms: number;
  ringing_at_ms: number | null;
  ended_at_ms: number | null;
  sip_status: number | null;
  cause: number | null;
  blame: Blame | null;
}

export interface Dialling extends CallIdentity {
  phase: 'dialling';
  plan: CallPlan;
  held: Held;
  attempts: readonly Attempt[];
  /** The attempt that ran when the call was taken over: whether its callee's phone rang before is not known, so it is taken to have. */
  unheard_attempt?: number;
}

export interface Talking extends CallIdentity {
  phase: 'talking';
  plan: CallPlan;
  held: Held;
  grant_no: number;
  attempts: readonly Attempt[];
  b_channel_id: string;
  answered_at_ms: number;
  /** When we heard of the answer, on the clock that `transition` is given; a witness against steps of the switch's clock. */
  answer_heard_at_ms: number;
  /** A renewal that was asked for and not answered yet. */
  renewing: Grant | null;
  tries: number;
  /** No more money: the warning was given and the call ends at its deadline, unless money comes. */
  last_grant: boolean;
  /** The step of the wall clock since the answer, by the monotonic clock; charging takes it out again. */
  stepped_ms: number;
}

export interface Settling extends CallIdentity {
  phase: 'settling';
  plan: CallPlan;
  held: Held;
  attempts: readonly Attempt[];
  ended: Ended;
  answered_at_ms: number | null;
  /** The duration as we witnessed it from event to event, in milliseconds; null when either event was missed. */
  witnessed_ms: number | null;
  /** A record whose duration differs so much from what was witnessed that a step of the clock is looked for first. */
  doubted: SwitchRecord | null;
  /** The settlement that is on its way. */
  submitted: SettleItem | null;
  stepped_ms: number;
  /** The step that was noticed after the end; whether it was before it, the record tells. */
  late_step_ms: number;
  outcome: Outcome;
}

export interface Over extends CallIdentity {
  phase: 'over';
}

export interface Ended {
  at_ms: number;
  cause: number;
  /** The end was not seen: this is the last moment at which the call is known to have lived. */
  inferred?: boolean;
}

/** How an unanswered call ended; `answered` calls are judged by their record. */
export interface Outcome {
  result: 'answered' | 'no_answer' | 'busy' | 'cancelled' | 'failed' | 'refused';
  refusal: RefusalReason | null;
  blame: Blame;
}

/** What was decided about an arrival: whom to charge and where to send it, or why not. */
export type Decision =
  | { kind: 'authorize'; plan: CallPlan }
  | { kind: 'refuse'; reason: RefusalReason; account_id: string | null; facts: Readonly<Record<string, unknown>> };

export type TimerName = 'renew' | 'overrun' | 'record';

export type CallEvent =
  | { type: 'decided'; decision: Decision }
  | { type: 'hold_answered'; answer: HoldAnswer }
  | { type: 'hold_failed' }
  /** `failed`: the switch did not take the plan. `unknown`: its answer was lost, and it may dial or have heard nothing; its channels tell. */
  | { type: 'bridged'; reach: Reach | 'failed' | 'unknown' }
  | { type: 'ringing'; at_ms: number }
  | { type: 'answered'; b_channel_id: string; at_ms: number }
  | { type: 'attempt_failed'; attempt: number; failure: AttemptFailure; at_ms: number }
  | { type: 'renew_answered'; answer: HoldAnswer }
  | { type: 'renew_failed' }
  | { type: 'money_arrived' }
  /** A person of the operator wants the call ended. */
  | { type: 'hang_up_asked' }
  | { type: 'ended'; cause: number; at_ms: number; inferred?: boolean }
  | { type: 'recorded'; record: SwitchRecord }
  | { type: 'timer'; name: TimerName }
  | { type: 'clock_stepped'; step_ms: number }
  | { type: 'settled'; answer: HoldAnswer };

export type CallEffect =
  | { type: 'hold'; item: AuthorizeItem }
  | { type: 'bridge'; plan: BridgePlan }
  | { type: 'refuse'; refusal: Refusal; reason: RefusalReason }
  | { type: 'hang_up'; cause: number }
  | { type: 'note_answer'; attempt: number; answered_at_ms: number; deadline_at_ms: number }
  | { type: 'renew'; item: RenewItem }
  | { type: 'arm'; b_channel_id: string; deadline_at_ms: number }
  | { type: 'warn' }
  | { type: 'timer'; name: TimerName; at_ms: number }
  | { type: 'settle'; item: SettleItem }
  | { type: 'record_unheld'; record: UnheldRecord };

export interface Step {
  state: CallState;
  effects: readonly CallEffect[];
}

export interface CallSettings {
  /** How many seconds are held at a time. */
  grant_seconds: number;
  /** No call is longer, whatever money there is. */
  call_seconds_max: number;
  /** The switch ends the call this much before the granted second is over, so that the hang-up itself is not charged. */
  deadline_guard_ms: number;
  /** A renewal is asked for this long before the deadline; shorter grants are renewed in their last third. */
  renew_lead_ms: number;
  /** How often a call in its last grant looks for new money. */
  last_grant_retry_ms: number;
  /** A switch that has not ended the call this long after its deadline is told to. */
  overrun_ms: number;
  /** How long the switch's record is waited for after the end. */
  record_wait_ms: number;
}
