import type { TextRequest } from '../../accept/text_request.ts';
import type { EsmeRow } from '../bind/esme_row.ts';
import { ESM_CLASS, REGISTERED_DELIVERY } from '../../smpp/field_value.ts';
import type { DataSmBody, ShortMessageBody, SubmitMultiBody } from '../../smpp/pdu.ts';
import { STATUS } from '../../smpp/status.ts';
import { findTlvNumber, TLV } from '../../smpp/tlv.ts';
import { readSender } from './address.ts';
import { readSmppTime } from './smpp_time.ts';
import { readDataCoding, readUserData } from './user_data.ts';

export type Submission = (ShortMessageBody & { command: 'submit_sm' }) | SubmitMultiBody | DataSmBody;

export interface SubmissionContext {
  /** The bind's leave. */
  esme: Pick<EsmeRow, 'system_id' | 'default_class' | 'on_doubt'>;
  /** Of the account: what a national number is dialled in. */
  home_country: string;
  /** The time of day. */
  now_ms: number;
}

export interface RefusedSubmission {
  kind: 'refused';
  status: number;
  /** For the peer's people. */
  why: string;
}

/** Priority of SMPP 3.4 section 5.2.14 from which a text overtakes others: 2 is urgent, 3 an emergency. */
const PRIORITY_OF_CODES = 2;
const PRIORITY_MAX = 3;

/**
 * What a customer's submit_sm, submit_multi or data_sm asks for.
 *
 * - priority_flag 2 and 3 make it a text of class `code`, 0 and 1 of the class that the customer's row says: 0 is what everybody
 *   sends who sends nothing, so it cannot mean less.
 * - Any wish for a receipt is one for all receipts: also who asked for failures only hears of the others.
 * - service_type and protocol_id mean nothing here and are ignored; USSD is none of our services.
 * - What would be done otherwise than asked is refused: a text of the SMSC's own (sm_default_msg_id), replacing another
 *   (replace_if_present_flag), waiting for the handset with the response (transaction mode).
 *
 * @param recipient as +E.164, or whatever it was.
 */
export function readSubmission(
  pdu: Submission,
  recipient: string,
  { esme, home_country, now_ms }: SubmissionContext,
): { kind: 'text'; request: TextRequest } | RefusedSubmission {
  const refused = refusalOf(pdu);
  if (refused !== null) return refused;
  const data = readUserData(pdu.esm_class, pdu.command === 'data_sm' ? null : pdu.short_message, pdu.tlvs);
  if (data === null)
    return refuse(STATUS.ESME_RINVMSGLEN, 'Both short_message and message_payload have a text: send one.');
  const times = timesOf(pdu, now_ms);
  if ('status' in times) return times;
  return {
    kind: 'text',
    request: {
      sender: readSender(pdu.source_addr, pdu.source_addr_ton, home_country),
      recipient,
      content: {
        kind: 'raw',
        data_coding: readDataCoding(pdu.data_coding, data),
        octets: data.octets,
        has_udh: data.has_udh,
      },
      class: pdu.command !== 'data_sm' && pdu.priority_flag >= PRIORITY_OF_CODES ? 'code' : esme.default_class,
      on_doubt: esme.on_doubt,
      client_ref: pdu.tlvs.length === 0 ? null : referenceOf(pdu),
      idempotency_key: null,
      due_at_ms: times.due_at_ms,
      valid_for_ms: times.valid_for_ms,
      wants_receipt: (pdu.registered_delivery & REGISTERED_DELIVERY.receipt_mask) !== 0,
      source: 'smpp',
      system_id: esme.system_id,
    },
  };
}

function refuse(status: number, why: string): RefusedSubmission {
  return { kind: 'refused', status, why };
}

function refusalOf(pdu: Submission): RefusedSubmission | null {
  if (pdu.service_type === 'USSD') return refuse(STATUS.ESME_RINVSERTYP, 'USSD is not served: send texts only.');
  const { esm_class } = pdu;
  if ((esm_class & ESM_CLASS.mode_mask) === ESM_CLASS.mode_forward) {
    return refuse(STATUS.ESME_RINVESMCLASS, 'Transaction mode is not served: ask for a receipt.');
  }
  if ((esm_class & ESM_CLASS.type_mask) !== 0) {
    return refuse(STATUS.ESME_RINVESMCLASS, 'Only plain texts are taken, no acknowledgements and notifications.');
  }
  return pdu.command === 'data_sm' ? null : refusalOfShort(pdu);
}

function refusalOfShort(pdu: Exclude<Submission, DataSmBody>): RefusedSubmission | null {
  if (pdu.priority_flag > PRIORITY_MAX) {
    return refuse(STATUS.ESME_RINVPRTFLG, `priority_flag is 0 to ${PRIORITY_MAX}.`);
  }
  if (pdu.replace_if_present_flag !== 0) {
    return refuse(STATUS.ESME_RINVREPFLAG, 'A text replaces no other by itself: use replace_sm with its message_id.');
  }
  if (pdu.sm_default_msg_id !== 0) {
    return refuse(STATUS.ESME_RINVDFTMSGID, 'There are no predefined texts here: send the text itself.');
  }
  return null;
}

type Times = Pick<TextRequest, 'due_at_ms' | 'valid_for_ms'>;
const AT_ONCE: Times = { due_at_ms: null, valid_for_ms: null };

function timesOf(pdu: Submission, now_ms: number): Times | RefusedSubmission {
  if (pdu.command !== 'data_sm') return readTimes(pdu.schedule_delivery_time, pdu.validity_period, now_ms);
  const seconds = pdu.tlvs.length === 0 ? null : findTlvNumber(pdu.tlvs, TLV.qos_time_to_live);
  return seconds === null ? AT_ONCE : { due_at_ms: null, valid_for_ms: seconds * 1000 };
}

/**
 * As a PDU has them (SMPP 3.4 sections 5.2.15 and 5.2.16): a validity is counted from now, also where a text is scheduled.
 * @param due_before_ms when it is due where the PDU does not say.
 */
export function readTimes(
  schedule_delivery_time: string,
  validity_period: string,
  now_ms: number,
  due_before_ms: number | null = null,
): Times | RefusedSubmission {
  if (schedule_delivery_time === '' && validity_period === '' && due_before_ms === null) return AT_ONCE;
  const due_at_ms = schedule_delivery_time === '' ? due_before_ms : readSmppTime(schedule_delivery_time, now_ms);
  if (due_at_ms === null && schedule_delivery_time !== '') {
    return refuse(STATUS.ESME_RINVSCHED, 'schedule_delivery_time is no time of SMPP: write it as YYMMDDhhmmsstnnp.');
  }
  if (validity_period === '') return { due_at_ms, valid_for_ms: null };
  const valid_until_ms = readSmppTime(validity_period, now_ms);
  if (valid_until_ms === null) {
    return refuse(STATUS.ESME_RINVEXPIRY, 'validity_period is no time of SMPP: write it as YYMMDDhhmmsstnnp.');
  }
  const valid_for_ms = valid_until_ms - Math.max(now_ms, due_at_ms ?? now_ms);
  if (valid_for_ms <= 0) return refuse(STATUS.ESME_RINVEXPIRY, 'The validity is over before the text would be sent.');
  return { due_at_ms, valid_for_ms };
}

function referenceOf({ tlvs }: Submission): string | null {
  const reference = findTlvNumber(tlvs, TLV.user_message_reference);
  return reference === null ? null : String(reference);
}
