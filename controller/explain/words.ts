import type { RefusalReason } from '../call/refusal.ts';
import type { AttemptStory, Story } from './story.ts';

/**
 * Why a call was refused, as a customer is told it, or why it was not forwarded. `cancelled_by_caller` is no refusal of ours, but ends
 * a call as early.
 */
const refusals: Readonly<Record<RefusalReason | 'cancelled_by_caller' | 'circle' | 'no_number', string>> = {
  unknown_device: 'the phone is not one of ours',
  account_inactive: 'the account is not active',
  restricted: 'the account is restricted',
  terms_required: 'nobody has agreed for the account to the terms in force',
  no_wallet: 'the account has no wallet to pay from',
  not_a_number: 'what was dialled is not a telephone number',
  unknown_destination: 'there is no price for this destination',
  prefix_blocked: 'the account has this destination blocked',
  rate_too_high: 'the price per minute is above the highest that the account allows',
  caller_id: 'the account has no number to show to the callee',
  calls_per_second: 'too many calls were started in the same second',
  concurrent_calls: 'as many calls are up already as the account may have at once',
  no_money: 'the money in the wallet does not pay for the first second',
  spend_hour: 'the account has spent what it may spend in an hour',
  spend_day: 'the account has spent what it may spend in a day',
  no_route: 'no carrier can take the call at this price',
  routes_failed: 'every carrier that could have taken the call failed',
  emergency_unavailable: 'there is no route to the emergency services from here',
  unknown_did: 'nobody holds the number that was called',
  did_inactive: 'the number that was called is not in service',
  callee_cannot_pay: 'the wallet of the number that was called does not pay for the first second',
  no_device: 'no phone is set up for the number that was called',
  not_answered: 'nobody answered',
  not_forwarded: 'the call could not go on to where the number is forwarded to',
  outage: 'something on our side did not work',
  draining: 'no new calls were taken at that moment',
  circle: 'the caller is the number itself, or where it is forwarded to, so the call would go round in circles',
  no_number: 'where it is forwarded to is no number that can be called',
  cancelled_by_caller: 'the caller hung up before anything was decided',
};

export function refusalWords(refusal: string): string {
  return refusal in refusals ? refusals[refusal as keyof typeof refusals] : refusal.replaceAll('_', ' ');
}

const results: Readonly<Record<NonNullable<Story['result']>, string>> = {
  answered: 'The call was answered',
  no_answer: 'Nobody answered',
  busy: 'The other side was busy',
  cancelled: 'The caller gave up before an answer',
  failed: 'The call did not come about',
  refused: 'The call was refused',
};

export function resultWords(result: NonNullable<Story['result']>): string {
  return results[result];
}

const blames: Readonly<Record<NonNullable<AttemptStory['blame']>, string>> = {
  nobody: 'nobody is to blame',
  caller: 'the caller is to blame',
  callee: 'the callee is to blame',
  carrier: 'the carrier is to blame',
  us: 'we are to blame',
};

export function blameWords(blame: NonNullable<AttemptStory['blame']>): string {
  return blames[blame];
}

const sources: Readonly<Record<Story['duration_source'], string>> = {
  record: "by the switch's own record",
  events: "by the times of the switch's events, as it left no record",
  monotonic: "by the switch's record, less a step of its clock",
  proof_of_life: 'up to the last moment at which it is known to have lived, as its end was not seen',
  none: 'so far',
};

export function durationSourceWords(source: Story['duration_source']): string {
  return sources[source];
}

/** Final SIP responses that carriers send (RFC 3261 21). */
const statuses: Readonly<Record<number, string>> = {
  403: 'forbidden',
  404: 'no such number',
  408: 'timed out',
  410: 'number gone',
  480: 'not available',
  484: 'number incomplete',
  486: 'busy',
  487: 'cancelled',
  488: 'nothing in common to talk by',
  500: 'internal error',
  502: 'bad gateway',
  503: 'service unavailable',
  504: 'gateway timed out',
  600: 'busy everywhere',
  603: 'declined',
  604: 'no such number anywhere',
};

export function statusWords(status: number): string {
  const words = statuses[status];
  return words === undefined ? `SIP ${status}` : `SIP ${status}, ${words}`;
}

export function secondsWords(seconds: number): string {
  return seconds === 1 ? '1 second' : `${seconds} seconds`;
}
