import { dataCodings } from '../../../domain/texts/encoding/data_coding.ts';
import { readRawBody } from '../../accept/raw_body.ts';
import type { RawBody } from '../../accept/raw_body.ts';
import type { WishedText } from '../../accept/replace_text.ts';
import type { StoredText } from '../../accept/stored_text.ts';
import { REGISTERED_DELIVERY } from '../../smpp/field_value.ts';
import type { ReplaceSmBody } from '../../smpp/pdu.ts';
import { STATUS } from '../../smpp/status.ts';
import { findTlv, TLV } from '../../smpp/tlv.ts';
import { readTimes } from '../submit/read_submission.ts';
import type { RefusedSubmission } from '../submit/read_submission.ts';

export type ReplaceSmWish = WishedText & { kind: 'text' };

/**
 * What a replace_sm asks for (SMPP 3.4 section 4.10). It has neither data_coding nor esm_class: the octets are in
 * that of the text that was, which is GSM 7 or UCS-2 as it was to be sent on, or that of a binary one, with a header where that
 * had one. Empty times stay as they were; a new time without a validity has the validity of a new text.
 */
export function readReplacement(
  pdu: ReplaceSmBody,
  text: StoredText,
  now_ms: number,
): ReplaceSmWish | RefusedSubmission {
  if (pdu.sm_default_msg_id !== 0) {
    const why = 'There are no predefined texts here: send the text itself.';
    return { kind: 'refused', status: STATUS.ESME_RINVDFTMSGID, why };
  }
  const due_before_ms = text.due_at === null || text.due_at.getTime() <= now_ms ? null : text.due_at.getTime();
  const times = readTimes(pdu.schedule_delivery_time, pdu.validity_period, now_ms, due_before_ms);
  if ('status' in times) return times;
  const is_due_anew = pdu.schedule_delivery_time !== '';
  return {
    kind: 'text',
    is_due_anew,
    is_valid_anew: is_due_anew || pdu.validity_period !== '',
    request: {
      sender: text.sender,
      recipient: text.recipient,
      content: {
        kind: 'raw',
        ...codingOf(text),
        octets: findTlv(pdu.tlvs, TLV.message_payload) ?? pdu.short_message,
      },
      class: text.class,
      on_doubt: 'resend',
      client_ref: null,
      idempotency_key: null,
      ...times,
      wants_receipt: (pdu.registered_delivery & REGISTERED_DELIVERY.receipt_mask) !== 0,
      source: 'smpp',
      system_id: null,
    },
  };
}

function codingOf({ encoding, body }: StoredText): Pick<RawBody, 'data_coding' | 'has_udh'> {
  if (encoding !== 'binary' || body === null) return { data_coding: dataCodings[encoding], has_udh: false };
  const { data_coding, has_udh } = readRawBody(body);
  return { data_coding, has_udh };
}
