import type { AttemptFailure, BridgePlan } from '../switch.ts';

/** What the B-leg of an attempt does. Times count from the moment the switch dials. */
export type Behaviour =
  | { kind: 'answers'; ring_after_ms: number; answer_after_ms: number }
  | { kind: 'rings'; ring_after_ms: number }
  /** No response at all. */
  | { kind: 'silent' }
  | { kind: 'fails'; after_ms: number; failure: AttemptFailure }
  | { kind: 'unreachable' };

export type BehaviourOf = (plan: BridgePlan) => Behaviour;

export function failsWith(sip_status: number, cause: number, after_ms = 5): Behaviour {
  const failure = { cause, sip_status, responded: true, unreachable: false, timed_out: false };
  return { kind: 'fails', after_ms, failure };
}

export const UNREACHABLE: AttemptFailure = {
  cause: 0,
  sip_status: null,
  responded: false,
  unreachable: true,
  timed_out: false,
};
