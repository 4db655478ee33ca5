import { FAILURE_SEPARATOR } from '../../../dialplan/asterisk/contract.ts';
import type { AttemptFailure } from '../switch.ts';
import { parseAccountCode } from './plan.ts';

export interface FailedAttempt {
  call_id: string;
  attempt: number;
  failure: AttemptFailure;
}

/** `SIP 486|SIP 180|`: the last response of each B channel. One that got no response at all is not in it. */
function parseStatuses(legs: readonly string[]): number[] {
  return legs.flatMap((leg) => {
    const match = /^SIP (\d{3})$/u.exec(leg);
    return match === null ? [] : [Number(match[1])];
  });
}

/**
 * Several devices ring at once, but there is one failure to tell: a person who declined outweighs one who is busy, and
 * both outweigh a phone that is merely away.
 */
function loudest(finals: readonly number[]): number | null {
  const weight = (status: number): number => (status === 603 ? 3 : status === 486 || status === 600 ? 2 : 1);
  return [...finals].sort((a, b) => weight(b) - weight(a))[0] ?? null;
}

/** Q.850 for the SIP statuses that callers meet most (RFC 3398, 8.2.6.1); the rest is "interworking, unspecified". */
function causeOf(sip_status: number): number {
  const causes: Readonly<Record<number, number>> = {
    404: 1,
    410: 22,
    480: 19,
    486: 17,
    600: 17,
    603: 21,
    503: 41,
    408: 102,
  };
  return causes[sip_status] ?? 127;
}

/**
 * What the dialplan hands over when `Dial` came back without an answer: account code, DIALSTATUS, HANGUPCAUSE, responses.
 * HANGUPCAUSE is that of the last B channel to end, and an older one when this attempt had none: it counts for one channel only.
 * Null when the channel is not ours.
 */
export function parseFailure(text: string): FailedAttempt | null {
  const [account = '', dial_status = '', hangup_cause = '', ...legs] = text.split(FAILURE_SEPARATOR);
  const ours = parseAccountCode(account);
  if (ours === null) return null;
  const statuses = parseStatuses(legs);
  const sip_status = loudest(statuses.filter((status) => status >= 200));
  const told = statuses.length === 1 && /^\d+$/u.test(hangup_cause) ? Number(hangup_cause) : 0;
  return {
    ...ours,
    failure: {
      cause: told === 0 && sip_status !== null ? causeOf(sip_status) : told,
      sip_status,
      responded: statuses.length > 0,
      unreachable: statuses.length === 0 && dial_status === 'CHANUNAVAIL',
      timed_out: dial_status === 'NOANSWER',
    },
  };
}

/** The same of a call that the switch made by itself. Where the far end rang to the last, it was the switch that gave up. */
export function parseUnspoken(text: string): FailedAttempt | null {
  const failed = parseFailure(text);
  if (failed === null) return null;
  const { failure } = failed;
  return { ...failed, failure: { ...failure, timed_out: failure.responded && failure.sip_status === null } };
}
