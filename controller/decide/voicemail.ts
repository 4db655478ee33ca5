import type { CalleeProfile } from '../../domain/accounts/callee_profile.ts';
import type { CallPlan } from '../call/plan.ts';
import type { Decision } from '../call/state.ts';

/** A mailbox answers at once; beyond this something is wrong with it. */
const ANSWER_MS_MAX = 5_000;

/**
 * A number whose holder switched voice mail on takes a message where no phone is there or none answers, at the number's own price.
 * Where calls go on to another number it is that number's matter who answers at last.
 */
export function orMailbox(decision: Decision, phones: CallPlan, { voicemail, devices }: CalleeProfile): Decision {
  if (voicemail === null) return decision;
  const target = { kind: 'voicemail', greeting: voicemail.greeting } as const;
  if (decision.kind === 'refuse') {
    const is_unreached = decision.reason === 'no_device' || decision.reason === 'not_forwarded';
    if (!is_unreached || devices.length > 0) return decision;
    const routing = ['No phone is there to ring: a message is taken.'];
    return { kind: 'authorize', plan: { ...phones, target, ring_timeout_ms: ANSWER_MS_MAX, routing } };
  }
  const { plan } = decision;
  const mailbox = { target, ring_timeout_ms: ANSWER_MS_MAX };
  // The way on may still fall away, for its price or its pace; then nobody else takes the call.
  if (plan.tariff.forwarded !== null) return { kind: 'authorize', plan: { ...plan, without_way_on: mailbox } };
  const routing = [...plan.routing, 'Unanswered, a message is taken.'];
  return { kind: 'authorize', plan: { ...plan, routing, otherwise: mailbox } };
}
