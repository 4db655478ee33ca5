import type { RefusalCode } from '../../accept/refusal.ts';
import type { TextRequest } from '../../accept/text_request.ts';
import { STATUS } from '../../smpp/status.ts';

/**
 * How a customer's program hears why a text is not accepted (SMPP 3.4 section 5.1.3).
 *
 * - There is no status for money, and a vendor's own one (0x400 to 0x4FF) would be taken for anything by programs that do not
 *   know it: all that the customer's people have to settle is ESME_RSUBMITFAIL, which nobody sends again by itself.
 * - ESME_RTHROTTLED, ESME_RMSGQFUL and ESME_RSYSERR are for another try; of the last it is not known whether the text was
 *   stored.
 * - Who said STOP is an ESME_RINVDSTADR: programs take such a recipient off their lists.
 */
const STATUSES: Readonly<Record<Exclude<RefusalCode, 'invalid_time'>, number>> = {
  key_conflict: STATUS.ESME_RSUBMITFAIL,
  no_wallet: STATUS.ESME_RSUBMITFAIL,
  no_money: STATUS.ESME_RSUBMITFAIL,
  spend_hour: STATUS.ESME_RSUBMITFAIL,
  spend_day: STATUS.ESME_RSUBMITFAIL,
  account_inactive: STATUS.ESME_RSUBMITFAIL,
  restricted: STATUS.ESME_RSUBMITFAIL,
  terms_required: STATUS.ESME_RSUBMITFAIL,
  content_blocked: STATUS.ESME_RSUBMITFAIL,
  sender_not_yours: STATUS.ESME_RINVSRCADR,
  invalid_sender: STATUS.ESME_RINVSRCADR,
  opted_out: STATUS.ESME_RINVDSTADR,
  invalid_recipient: STATUS.ESME_RINVDSTADR,
  destination_unknown: STATUS.ESME_RINVDSTADR,
  destination_blocked: STATUS.ESME_RINVDSTADR,
  empty_text: STATUS.ESME_RINVMSGLEN,
  text_too_long: STATUS.ESME_RINVMSGLEN,
  // The header that esm_class tells of is not there.
  invalid_encoding: STATUS.ESME_RINVESMCLASS,
  too_fast: STATUS.ESME_RTHROTTLED,
  queue_full: STATUS.ESME_RMSGQFUL,
  account_queue_full: STATUS.ESME_RMSGQFUL,
  unavailable: STATUS.ESME_RSYSERR,
};

export function statusOf(code: RefusalCode, { due_at_ms }: Pick<TextRequest, 'due_at_ms'>): number {
  if (code !== 'invalid_time') return STATUSES[code];
  return due_at_ms === null ? STATUS.ESME_RINVEXPIRY : STATUS.ESME_RINVSCHED;
}
