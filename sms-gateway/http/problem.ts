import type { Refusal, RefusalCode } from '../accept/refusal.ts';

/** Problem details (RFC 9457). `type` is stable: programs tell problems apart by it. */
export interface Problem {
  type: string;
  title: string;
  status: number;
  detail: string;
}

export function problem(status: number, code: string, detail: string): Problem {
  return { type: `urn:letsdial:problem:${code}`, title: code.replaceAll('_', ' '), status, detail };
}

const STATUS: Readonly<Record<RefusalCode, number>> = {
  key_conflict: 409,
  no_wallet: 402,
  no_money: 402,
  spend_hour: 402,
  spend_day: 402,
  account_inactive: 403,
  restricted: 403,
  terms_required: 403,
  sender_not_yours: 403,
  opted_out: 403,
  invalid_sender: 422,
  invalid_recipient: 422,
  empty_text: 422,
  text_too_long: 422,
  invalid_encoding: 422,
  invalid_time: 422,
  destination_unknown: 422,
  destination_blocked: 403,
  content_blocked: 403,
  too_fast: 429,
  queue_full: 503,
  account_queue_full: 503,
  unavailable: 503,
};

export function problemOf({ code, message }: Refusal): Problem {
  return problem(STATUS[code], code, message);
}

/** When the same request may go better, in seconds; null where it never does by itself. A full queue empties at the carriers' pace. */
const RETRY_AFTER_S: Readonly<Partial<Record<RefusalCode, number>>> = {
  too_fast: 2,
  unavailable: 2,
  queue_full: 5,
  account_queue_full: 30,
};

export function retryAfterS(code: RefusalCode): number | null {
  return RETRY_AFTER_S[code] ?? null;
}
