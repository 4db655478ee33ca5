import type { DefaultAlphabet } from '../../domain/texts/encoding/data_coding.ts';
import { resolvedAlphabet } from '../../domain/texts/encoding/data_coding.ts';
import { decodeText } from '../../domain/texts/encoding/decode_text.ts';
import { parseUdh } from '../../domain/texts/encoding/udh.ts';
import type { ReceiptState } from '../../domain/texts/message.ts';
import type { DataSmBody, ShortMessageBody } from '../smpp/pdu.ts';
import { findTlv, findTlvNumber, findTlvText, TLV } from '../smpp/tlv.ts';
import { sharedNumber, submitIdsOf } from './receipt_id.ts';
import type { ReceiptIdForm } from './receipt_id.ts';
import { stateOfNumber, stateOfWord } from './receipt_state.ts';
import { readReceiptText } from './receipt_text.ts';
import type { ReceiptText } from './receipt_text.ts';
import { receiptTimeMs } from './receipt_time.ts';

/** How one carrier writes its receipts. */
export interface ReceiptDialect {
  receipt_id_form: ReceiptIdForm;
  /** What data coding 0 means there. Receipts are ASCII by custom, so it matters only where GSM 7 is packed. */
  default_alphabet: DefaultAlphabet;
  /** Of the zone in which it writes dates, positive to the east. */
  utc_offset_minutes: number;
  /**
   * What an unflagged message that looks like a receipt is: many carriers forget the flag, but where they do not, such a
   * message is a person's, who may want to forge a receipt.
   */
  unflagged: 'receipt' | 'text';
}

export type ReadReceipt =
  | {
      kind: 'receipt';
      /** What the submit_sm_resp may have been stored under; see `canonicalSubmitId`. */
      ids: readonly string[];
      state: ReceiptState;
      /** The network's or the carrier's code; null for none, which most write as zeros. */
      error: string | null;
      done_at_ms: number | null;
      /** In words, where TLVs and text say different things. The TLVs were believed. */
      contradiction: string | null;
    }
  | { kind: 'no_receipt' }
  | { kind: 'unreadable'; why: string };

type Delivery = (ShortMessageBody & { command: 'deliver_sm' }) | DataSmBody;

/** esm_class, bits 5 to 2 (SMPP 3.4 section 5.2.12). */
const MESSAGE_TYPE = 0x3c;
const SMSC_RECEIPT = 0x04;
const SME_ACKNOWLEDGEMENT = 0x08;
const INTERMEDIATE = 0x20;
const HAS_UDH = 0x40;

/**
 * Tells whether a deliver_sm or data_sm is a receipt, and of what. Never throws, whatever the octets.
 *
 * The TLVs receipted_message_id, message_state and network_error_code win over the text, each for itself: they have one
 * meaning, the text is vendor specific (SMPP 3.4 appendix B). Only where an id differs by being written in the other
 * notation is there no contradiction, and the number that both mean is taken.
 *
 * An intermediate notification tells of one attempt, so what it calls a failure is not the end: it is read as `enroute`, with
 * its error. An SME's acknowledgement comes from the recipient's own equipment, hence means delivery where it says no state.
 */
export function readReceipt(pdu: Delivery, dialect: ReceiptDialect): ReadReceipt {
  const type = pdu.esm_class & MESSAGE_TYPE;
  const is_flagged = (type & SMSC_RECEIPT) !== 0 || type === INTERMEDIATE;
  const is_acknowledgement = type === SME_ACKNOWLEDGEMENT;
  const tlv_id = filled(findTlvText(pdu.tlvs, TLV.receipted_message_id));
  const tlv_number = findTlvNumber(pdu.tlvs, TLV.message_state);
  const tlv_state = tlv_number === null ? null : stateOfNumber(tlv_number);
  const text = textOf(pdu, dialect);
  const text_state = text.stat === null ? null : stateOfWord(text.stat);

  const is_by_tlvs = tlv_id !== null && tlv_state !== null;
  const is_by_text = text.looks_like_one && text_state !== null;
  if (!is_flagged && !is_acknowledgement) {
    if (dialect.unflagged === 'text' || !(is_by_tlvs || is_by_text)) return { kind: 'no_receipt' };
  }
  const id = tlv_id ?? text.id;
  if (id === null) {
    // An acknowledgement without an id is what its sender wrote, for people to read.
    return is_flagged ? { kind: 'unreadable', why: 'The receipt names no message.' } : { kind: 'no_receipt' };
  }
  const state = tlv_state ?? text_state ?? (is_acknowledgement ? 'delivered' : null);
  if (state === null) return { kind: 'unreadable', why: whyNoState(id, text.stat, tlv_number) };
  return {
    kind: 'receipt',
    ids: idsOf(tlv_id, text.id, dialect.receipt_id_form),
    state: type === INTERMEDIATE ? whileUnderWay(state) : state,
    error: networkError(findTlv(pdu.tlvs, TLV.network_error_code)) ?? textError(text.err),
    done_at_ms: text.done_date === null ? null : receiptTimeMs(text.done_date, dialect.utc_offset_minutes),
    contradiction: contradictionOf(tlv_id, text.id, tlv_state, text_state),
  };
}

function whyNoState(id: string, stat: string | null, message_state: number | null): string {
  if (stat !== null) return `The receipt of ${id} says stat:${stat}, which is no state that we know.`;
  if (message_state !== null) return `The receipt of ${id} says message_state ${message_state}, which no standard has.`;
  return `The receipt of ${id} tells no state.`;
}

function whileUnderWay(state: ReceiptState): ReceiptState {
  return state === 'delivered' || state === 'accepted' ? state : 'enroute';
}

function idsOf(tlv_id: string | null, text_id: string | null, form: ReceiptIdForm): readonly string[] {
  const id = tlv_id ?? text_id ?? '';
  if (tlv_id === null || text_id === null || form === 'same') return submitIdsOf(id, form);
  if (form === 'any') return [...new Set([...submitIdsOf(tlv_id, form), ...submitIdsOf(text_id, form)])];
  const number = tlv_id === text_id ? null : sharedNumber(tlv_id, text_id);
  return number === null ? submitIdsOf(tlv_id, form) : [number.toString(16)];
}

function contradictionOf(
  tlv_id: string | null,
  text_id: string | null,
  tlv_state: ReceiptState | null,
  text_state: ReceiptState | null,
): string | null {
  if (tlv_id !== null && text_id !== null && tlv_id !== text_id && sharedNumber(tlv_id, text_id) === null) {
    return `receipted_message_id is ${tlv_id}, the text says id:${text_id}.`;
  }
  if (tlv_state !== null && text_state !== null && tlv_state !== text_state) {
    return `message_state means ${tlv_state}, the text says ${text_state}.`;
  }
  return null;
}

/** Section 5.3.2.31: the kind of network, then the code in 16 bits. The text names the code alone, so here too. */
function networkError(value: Uint8Array | null): string | null {
  const [, high, low] = value ?? [];
  if (value?.length !== 3 || high === undefined || low === undefined) return null;
  const code = high * 256 + low;
  return code === 0 ? null : code.toString();
}

function textError(err: string | null): string | null {
  return err === null || /^0*$/u.test(err) ? null : err.slice(0, 100);
}

function textOf(pdu: Delivery, { default_alphabet }: ReceiptDialect): ReceiptText {
  const octets = userData(pdu);
  let first: ReceiptText | null = null;
  for (const reading of readings(octets, pdu.data_coding, default_alphabet)) {
    const text = readReceiptText(reading);
    if (text.id !== null || text.stat !== null) return text;
    first ??= text;
  }
  return first ?? readReceiptText('');
}

function userData(pdu: Delivery): Uint8Array {
  const short_message = pdu.command === 'deliver_sm' ? pdu.short_message : NOTHING;
  const octets = short_message.length > 0 ? short_message : (findTlv(pdu.tlvs, TLV.message_payload) ?? NOTHING);
  if ((pdu.esm_class & HAS_UDH) === 0) return octets;
  const udh = parseUdh(octets);
  return udh.kind === 'udh' ? octets.subarray(udh.header_length_octets) : octets;
}

const NOTHING = new Uint8Array(0);
const UCS2 = 8;

/**
 * The text as its data coding says, then as carriers mean it all the same: ASCII under UCS-2's name, and the reverse. Ids
 * are ASCII, which the GSM alphabet would change: an underscore into a section sign.
 */
function* readings(octets: Uint8Array, data_coding: number, default_alphabet: DefaultAlphabet): Generator<string> {
  if (octets.length === 0) return;
  const alphabet = resolvedAlphabet(data_coding, default_alphabet);
  if (alphabet === 'gsm7_packed') {
    const packed = decodeText(octets, data_coding, null, { default_alphabet });
    if (packed.kind === 'text') yield packed.text;
  }
  if (alphabet === 'ucs2') yield inUcs2(octets);
  yield Buffer.from(octets.buffer, octets.byteOffset, octets.length).toString('latin1');
  if (alphabet !== 'ucs2') yield inUcs2(octets);
}

function inUcs2(octets: Uint8Array): string {
  const decoded = decodeText(octets, UCS2);
  return decoded.kind === 'text' ? decoded.text : '';
}

/** Null for an empty id, which some carriers send for form's sake. */
function filled(id: string | null): string | null {
  const trimmed = id?.trim() ?? '';
  return trimmed === '' ? null : trimmed;
}
