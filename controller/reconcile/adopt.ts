import { randomUUID } from 'node:crypto';
import type { OpenHoldDetail } from '../../domain/calls/open_holds.ts';
import { routeAt } from '../call/attempt_target.ts';
import { chargedFor } from '../call/forwarding.ts';
import { callPlanSchema } from '../call/plan.ts';
import type { CallPlan } from '../call/plan.ts';
import type { Attempt, Dialling, Talking } from '../call/state.ts';
import type { Held } from '../charging/tariff.ts';

/** What the switch, or the database, says about when a call that we did not see was answered. */
export interface Progress {
  attempt: number;
  b_channel_id: string | null;
  answered_at_ms: number | null;
}

/** A call that somebody else sent out: what was decided about it, and what is held for it. */
export interface FoundCall {
  call_id: string;
  leg_id: string;
  channel_id: string;
  plan: CallPlan;
  held: Held;
  grant_no: number;
}

export function foundByHold(hold: OpenHoldDetail): FoundCall {
  const { call_id, leg_id, channel_id, grant_no } = hold;
  return {
    ...{ call_id, leg_id, channel_id, grant_no },
    plan: callPlanSchema.parse(hold.snapshot),
    held: { seconds: hold.seconds_granted, micros: hold.held_micros, pack_seconds: hold.pack_seconds_held },
  };
}

/** Nothing is stored of a call for help for which nothing could be held; whoever finds it gives it a leg of its own. */
export function foundForHelp(call: Pick<FoundCall, 'call_id' | 'channel_id' | 'plan'>, held: Held): FoundCall {
  return { ...call, leg_id: randomUUID(), held, grant_no: 1 };
}

/** The state of a call, made again from its hold and from what the switch says of its channels. */
export function stateOf(found: FoundCall, progress: Progress): Dialling | Talking {
  const { call_id, leg_id, plan, held, grant_no } = found;
  const dialling: Dialling = {
    phase: 'dialling',
    ...{ call_id, leg_id, plan, held },
    arrival: arrivalOf(found),
    attempts: attemptsOf(plan, progress),
  };
  if (progress.answered_at_ms === null) return { ...dialling, unheard_attempt: progress.attempt };
  return {
    ...chargedFor(dialling, progress.attempt),
    phase: 'talking',
    grant_no,
    b_channel_id: progress.b_channel_id ?? '',
    answered_at_ms: progress.answered_at_ms,
    // Whoever heard the answer is gone; the switch's word for it is all the witness there is.
    answer_heard_at_ms: progress.answered_at_ms,
    renewing: null,
    tries: 0,
    last_grant: false,
    stepped_ms: 0,
  };
}

function arrivalOf({ channel_id, plan }: FoundCall): Dialling['arrival'] {
  return {
    channel_id,
    source: plan.device === null ? { kind: 'trunk', trunk: '' } : { kind: 'device', device: plan.device },
    dialled: plan.dialled,
    claimed_caller: null,
    arrived_at_ms: plan.arrived_at_ms,
  };
}

/** The attempts up to the one that runs; when each began was known to the controller that is gone. */
function attemptsOf(plan: CallPlan, progress: Progress): readonly Attempt[] {
  return Array.from({ length: progress.attempt }, (_, n) => {
    const route = routeAt(plan, n + 1);
    return {
      attempt: n + 1,
      trunk_id: route?.trunk_id ?? (plan.target.kind === 'emergency' ? plan.target.trunk_id : null),
      carrier_id: route?.carrier_id ?? null,
      started_at_ms: plan.arrived_at_ms,
      ringing_at_ms: null,
      ended_at_ms: null,
      sip_status: null,
      cause: null,
      blame: null,
    };
  });
}
