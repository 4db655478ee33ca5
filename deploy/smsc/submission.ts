import type { DataSmBody, Destination, Header, ShortMessageBody, SubmitMultiBody } from '../../sms-gateway/smpp/pdu.ts';
import { findTlv, findTlvNumber, TLV } from '../../sms-gateway/smpp/tlv.ts';
import type { Tlv } from '../../sms-gateway/smpp/tlv.ts';
import type { Submission } from './message.ts';

export type SubmitPdu = Header & (ShortMessageBody | SubmitMultiBody | DataSmBody);

type AddressOnly = Extract<Destination, { dest_flag: 1 }>;

/** The texts of a PDU, one for each recipient. Null where one goes to a distribution list: the carrier keeps none. */
export function submissionsOf(command: Submission['command'], pdu: SubmitPdu): Submission[] | null {
  if (pdu.command !== 'submit_multi') return [submissionTo(command, pdu, pdu)];
  const addresses = pdu.dest_addresses.filter((one): one is AddressOnly => one.dest_flag === 1);
  if (addresses.length < pdu.dest_addresses.length) return null;
  return addresses.map((address) => submissionTo(command, pdu, address));
}

function submissionTo(
  command: Submission['command'],
  pdu: SubmitPdu,
  to: { dest_addr_ton: number; dest_addr_npi: number; destination_addr: string },
): Submission {
  const { tlvs } = pdu;
  const has_tlvs = tlvs.length > 0;
  return {
    command,
    sequence_number: pdu.sequence_number,
    from: pdu.source_addr,
    from_ton: pdu.source_addr_ton,
    from_npi: pdu.source_addr_npi,
    to: to.destination_addr,
    to_ton: to.dest_addr_ton,
    to_npi: to.dest_addr_npi,
    data_coding: pdu.data_coding,
    esm_class: pdu.esm_class,
    registered_delivery: pdu.registered_delivery,
    validity_period: 'validity_period' in pdu ? pdu.validity_period : '',
    octets: octetsOf(pdu),
    segment: has_tlvs ? segmentOf(tlvs) : null,
    user_message_reference: has_tlvs ? findTlvNumber(tlvs, TLV.user_message_reference) : null,
  };
}

/** Section 5.3.2.32: message_payload in place of short_message, which is empty then. */
function octetsOf(pdu: SubmitPdu): Uint8Array {
  if ('short_message' in pdu && pdu.short_message.length > 0) return pdu.short_message;
  return findTlv(pdu.tlvs, TLV.message_payload) ?? NOTHING;
}

const NOTHING = new Uint8Array(0);

function segmentOf(tlvs: readonly Tlv[]): Submission['segment'] {
  const ref = findTlvNumber(tlvs, TLV.sar_msg_ref_num);
  const of = findTlvNumber(tlvs, TLV.sar_total_segments);
  const part = findTlvNumber(tlvs, TLV.sar_segment_seqnum);
  return ref === null || of === null || part === null ? null : { ref, of, part };
}
