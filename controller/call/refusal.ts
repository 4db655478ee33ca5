import type { CallSource, Prompt } from '../switch/switch.ts';

/**
 * Every reason for which a call is refused. Each is named in the record of the call and has its own line in the metrics. Words and Q.850
 * causes are fewer: reasons share them where the caller would do the same about either, or may not learn which it was.
 */
export type RefusalReason =
  | 'unknown_device'
  | 'account_inactive'
  | 'restricted'
  | 'terms_required'
  | 'no_wallet'
  | 'not_a_number'
  | 'unknown_destination'
  | 'prefix_blocked'
  | 'rate_too_high'
  | 'caller_id'
  | 'calls_per_second'
  | 'concurrent_calls'
  | 'no_money'
  | 'spend_hour'
  | 'spend_day'
  | 'no_route'
  | 'routes_failed'
  | 'emergency_unavailable'
  | 'unknown_did'
  | 'did_inactive'
  | 'callee_cannot_pay'
  | 'no_device'
  | 'not_answered'
  | 'not_forwarded'
  | 'outage'
  | 'draining';

/** Q.850 causes that we use; the switch turns them into the SIP status of RFC 3398. */
export const causes = {
  unallocated: 1,
  normal: 16,
  busy: 17,
  no_answer: 19,
  absent: 20,
  rejected: 21,
  invalid_number: 28,
  no_circuit: 34,
  network_out_of_order: 38,
  temporary_failure: 41,
  congestion: 42,
  not_authorized: 57,
  interworking: 127,
} as const;

/**
 * What the caller hears and what the signalling says. Strangers and carriers hear nothing that tells them about our customers. What the
 * account may not do is 21, by which no phone tries again; each limit that passes by itself has a cause of its own: all of the account's
 * lines are taken (34), or it calls too fast (42).
 */
const answers: Readonly<Record<RefusalReason, { prompt: Prompt | null; cause: number }>> = {
  unknown_device: { prompt: null, cause: causes.rejected },
  account_inactive: { prompt: 'blocked', cause: causes.rejected },
  restricted: { prompt: 'blocked', cause: causes.rejected },
  terms_required: { prompt: 'blocked', cause: causes.rejected },
  no_wallet: { prompt: 'no_money', cause: causes.rejected },
  not_a_number: { prompt: 'unknown_destination', cause: causes.invalid_number },
  unknown_destination: { prompt: 'unknown_destination', cause: causes.unallocated },
  prefix_blocked: { prompt: 'blocked', cause: causes.rejected },
  rate_too_high: { prompt: 'blocked', cause: causes.rejected },
  caller_id: { prompt: 'caller_id_not_allowed', cause: causes.rejected },
  // Said in words it would take as many places as calls are too many.
  calls_per_second: { prompt: null, cause: causes.congestion },
  concurrent_calls: { prompt: 'limit_reached', cause: causes.no_circuit },
  no_money: { prompt: 'no_money', cause: causes.rejected },
  spend_hour: { prompt: 'spent_this_hour', cause: causes.rejected },
  spend_day: { prompt: 'spent_today', cause: causes.rejected },
  no_route: { prompt: 'routes_failed', cause: causes.no_circuit },
  routes_failed: { prompt: 'routes_failed', cause: causes.no_circuit },
  emergency_unavailable: { prompt: 'emergency_unavailable', cause: causes.no_circuit },
  unknown_did: { prompt: null, cause: causes.unallocated },
  did_inactive: { prompt: null, cause: causes.unallocated },
  callee_cannot_pay: { prompt: 'not_available', cause: causes.absent },
  no_device: { prompt: 'not_available', cause: causes.absent },
  not_answered: { prompt: 'not_available', cause: causes.no_answer },
  not_forwarded: { prompt: 'not_available', cause: causes.absent },
  // Cause 41 would be a 603 at Asterisk, by which nobody may be tried in our place; 42 is a 503.
  outage: { prompt: 'try_later', cause: causes.congestion },
  draining: { prompt: 'try_later', cause: causes.congestion },
};

/** What the account that is called may not do or cannot pay for is between it and us: for strangers it is not there, or busy. */
const toStrangers: Partial<typeof answers> = {
  no_wallet: answers.callee_cannot_pay,
  spend_hour: answers.callee_cannot_pay,
  spend_day: answers.callee_cannot_pay,
  concurrent_calls: { prompt: null, cause: causes.busy },
};

/** @param source from whom the call came: a carrier brings those of strangers. */
export function refusalAnswer(reason: RefusalReason, source: CallSource): { prompt: Prompt | null; cause: number } {
  return (source.kind === 'trunk' ? toStrangers[reason] : undefined) ?? answers[reason];
}
