import type { AttemptFailure } from '../switch/switch.ts';
import { causes } from './refusal.ts';

/** Who a failed attempt is to be blamed on. The answer seizure ratio of a carrier counts only what is the carrier's. */
export type Blame = 'nobody' | 'caller' | 'callee' | 'carrier' | 'us';

export interface Verdict {
  blame: Blame;
  /** Whether another carrier may be tried. Never where the call may already have reached somebody. */
  may_fail_over: boolean;
  result: 'busy' | 'no_answer' | 'failed' | 'cancelled';
  /** What the caller's signalling is told when nothing else is tried. */
  cause: number;
}

const failed = (blame: Blame, may_fail_over: boolean, cause: number): Verdict => ({
  blame,
  may_fail_over,
  result: 'failed',
  cause,
});

/** SIP statuses that speak of the callee or of the number, hence would be the same over every carrier (RFC 3261 21). */
const calleeStatus: Readonly<Record<number, Verdict>> = {
  404: failed('callee', false, causes.unallocated),
  410: failed('callee', false, causes.unallocated),
  480: { blame: 'callee', may_fail_over: false, result: 'no_answer', cause: causes.absent },
  484: failed('caller', false, causes.invalid_number),
  486: { blame: 'callee', may_fail_over: false, result: 'busy', cause: causes.busy },
  487: { blame: 'caller', may_fail_over: false, result: 'cancelled', cause: causes.normal },
  600: { blame: 'callee', may_fail_over: false, result: 'busy', cause: causes.busy },
  603: failed('callee', false, causes.rejected),
  604: failed('callee', false, causes.unallocated),
};

const not_answered: Verdict = { blame: 'callee', may_fail_over: false, result: 'no_answer', cause: causes.no_answer };

/**
 * Statuses by which somebody on the way gives up waiting. Once the callee's phone rang, what was waited for is the callee: another
 * carrier would ring the same phone a second time.
 */
const gaveUpWaiting: ReadonlySet<number> = new Set([408, 480, 487, 504]);

/** Decides by what the other side said, not by the switch's summary of it; `rang` is whether a sign of the callee came before. */
export function judgeFailure(failure: AttemptFailure, rang: boolean): Verdict {
  if (failure.timed_out) return not_answered;
  if (failure.unreachable) return failed('carrier', true, causes.no_circuit);
  if (failure.sip_status !== null) {
    if (rang && gaveUpWaiting.has(failure.sip_status)) return not_answered;
    // "No route to destination" inside a 404 is the carrier's confession, not the callee's absence (Q.850 cause 3).
    if (failure.sip_status === 404 && failure.cause === 3) return failed('carrier', true, causes.no_circuit);
    return calleeStatus[failure.sip_status] ?? failed('carrier', true, causes.no_circuit);
  }
  // Without any response nobody can have got the INVITE; after a provisional one somebody may be ringing still.
  return failed('carrier', !failure.responded, causes.temporary_failure);
}
