import type { ShortMessageBody } from '../../sms-gateway/smpp/pdu.ts';
import { NO_TLVS, TLV, tlvText, tlvUint16, tlvUint8 } from '../../sms-gateway/smpp/tlv.ts';
import type { Tlv } from '../../sms-gateway/smpp/tlv.ts';
import type { ReceiptDelivery } from './delivery.ts';
import type { Message, Submission } from './message.ts';

const RECEIPT_ESM_CLASS = 0x04;
const NOTIFICATION_ESM_CLASS = 0x20;
const ADDRESS_CHARACTERS_MAX = 20;
const QUOTED_CHARACTERS_MAX = 20;
/** Network type of network_error_code, section 5.3.2.31. */
const GSM_NETWORK = 3;

/** message_state, section 5.2.28. */
export const STATE_OF: Readonly<Record<string, number>> = {
  ENROUTE: 1,
  DELIVRD: 2,
  EXPIRED: 3,
  DELETED: 4,
  UNDELIV: 5,
  ACCEPTD: 6,
  UNKNOWN: 7,
  REJECTD: 8,
};

/** A receipt, SMPP 3.4 section 5.2.12 and appendix B, back to whoever sent the text. */
export function receiptBody({
  message,
  outcome,
  as,
  form,
  is_notification,
  made_at_ms,
}: ReceiptDelivery): ShortMessageBody {
  return {
    command: 'deliver_sm',
    service_type: '',
    source_addr_ton: message.to_ton,
    source_addr_npi: message.to_npi,
    source_addr: message.to.slice(0, ADDRESS_CHARACTERS_MAX),
    dest_addr_ton: message.from_ton,
    dest_addr_npi: message.from_npi,
    destination_addr: message.from.slice(0, ADDRESS_CHARACTERS_MAX),
    esm_class: is_notification ? NOTIFICATION_ESM_CLASS : RECEIPT_ESM_CLASS,
    protocol_id: 0,
    priority_flag: 0,
    schedule_delivery_time: '',
    validity_period: '',
    registered_delivery: 0,
    replace_if_present_flag: 0,
    data_coding: 0,
    sm_default_msg_id: 0,
    short_message: form === 'tlv' ? NOTHING : Buffer.from(textOf(message, outcome, as, made_at_ms), 'latin1'),
    tlvs: form === 'text' ? NO_TLVS : tlvsOf(message, outcome, as),
  };
}

const NOTHING = Buffer.alloc(0);

function textOf(message: Message, { stat, err }: ReceiptDelivery['outcome'], as: string, made_at_ms: number): string {
  const delivered = stat === 'DELIVRD' ? '001' : '000';
  return (
    `id:${as} sub:001 dlvrd:${delivered} submit date:${minuteOf(message.submitted_at_ms)} ` +
    `done date:${minuteOf(made_at_ms)} stat:${stat} err:${err} text:${message.beginning}`
  );
}

function tlvsOf(message: Message, { stat, err }: ReceiptDelivery['outcome'], as: string): Tlv[] {
  const tlvs = [tlvText(TLV.receipted_message_id, as), tlvUint8(TLV.message_state, STATE_OF[stat] ?? 0)];
  if (err !== '000') {
    // Carriers that count in hex have letters in it.
    const code = Number.parseInt(err, /^\d+$/u.test(err) ? 10 : 16) & 0xffff;
    tlvs.push({ tag: TLV.network_error_code, value: Uint8Array.of(GSM_NETWORK, code >>> 8, code) });
  }
  if (message.user_message_reference !== null) {
    tlvs.push(tlvUint16(TLV.user_message_reference, message.user_message_reference));
  }
  return tlvs;
}

/** What a receipt quotes: of a text of plain characters the first twenty, of any other nothing. */
export function beginningOf({ octets, data_coding, esm_class }: Submission): string {
  const is_plain = (data_coding === 0 || data_coding === 1 || data_coding === 3) && (esm_class & 0x40) === 0;
  if (!is_plain) return '';
  return Buffer.from(octets.buffer, octets.byteOffset, Math.min(octets.length, QUOTED_CHARACTERS_MAX)).toString(
    'latin1',
  );
}

const MINUTE_MS = 60_000;
let last_minute = { number: -1, text: '' };

/** YYMMDDhhmm in UTC. Nearly always the same as the last time. */
function minuteOf(at_ms: number): string {
  const number = Math.floor(at_ms / MINUTE_MS);
  if (number !== last_minute.number) {
    last_minute = { number, text: new Date(at_ms).toISOString().replace(/[-:T]/gu, '').slice(2, 12) };
  }
  return last_minute.text;
}

/** Whether the text's registered_delivery asks for a receipt of that end, section 5.2.17; 3 is of 5.0. */
export function isWanted(registered_delivery: number, stat: string): boolean {
  switch (registered_delivery & 0x03) {
    case 1:
      return true;
    case 2:
      return stat !== 'DELIVRD';
    case 3:
      return stat === 'DELIVRD';
    default:
      return false;
  }
}
