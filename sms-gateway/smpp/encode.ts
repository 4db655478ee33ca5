import { COMMAND_ID } from './command.ts';
import { writeBody } from './encode_body.ts';
import { EncodeError, OctetWriter } from './octet_writer.ts';
import type { Pdu, PduBody } from './pdu.ts';
import type { Tlv } from './tlv.ts';

/** More than all fixed fields of any PDU together. */
const FIXED_OCTETS_MAX = 512;
/** More than one destination, or one failed destination, of submit_multi. */
const DESTINATION_OCTETS_MAX = 32;

/**
 * Appends one PDU.
 * @throws EncodeError naming the field that does not fit; nothing is appended then.
 */
export function writePdu(to: OctetWriter, body: PduBody, command_status: number, sequence_number: number): void {
  const start = to.length_octets;
  to.reserve(octetsAtMost(body));
  try {
    to.length_octets = start + 4;
    to.uint32(COMMAND_ID[body.command], 'command_id');
    to.uint32(command_status, 'command_status');
    to.uint32(sequence_number, 'sequence_number');
    writeBody(to, body);
    if (body.tlvs.length > 0) writeTlvs(to, body);
    to.uint32At(start, to.length_octets - start);
  } catch (error) {
    to.length_octets = start;
    throw error;
  }
}

/**
 * One PDU in bytes of its own.
 * @throws EncodeError naming the field that does not fit.
 */
export function encode(pdu: Pdu): Buffer {
  const writer = new OctetWriter(octetsAtMost(pdu));
  writePdu(writer, pdu, pdu.command_status, pdu.sequence_number);
  return writer.octets.subarray(0, writer.length_octets);
}

function writeTlvs(to: OctetWriter, body: PduBody): void {
  if (lacksBody(body)) {
    throw new EncodeError('tlvs', 'a response without a body has nowhere for optional parameters.');
  }
  for (const { tag, value } of body.tlvs) {
    to.uint16(tag, 'tlv tag');
    if (value.length > 0xffff) throw new EncodeError('tlv value', `${value.length} octets do not fit a TLV.`);
    to.uint16(value.length, 'tlv length');
    to.bytes(value);
  }
}

function lacksBody(body: PduBody): boolean {
  return ('message_id' in body && body.message_id === null) || ('system_id' in body && body.system_id === null);
}

function octetsAtMost(body: PduBody): number {
  let octets = FIXED_OCTETS_MAX;
  if ('short_message' in body) octets += body.short_message.length;
  if (body.command === 'submit_multi') octets += body.dest_addresses.length * DESTINATION_OCTETS_MAX;
  if (body.command === 'submit_multi_resp') octets += body.unsuccess_smes.length * DESTINATION_OCTETS_MAX;
  return body.tlvs.length === 0 ? octets : octets + tlvOctets(body.tlvs);
}

function tlvOctets(tlvs: readonly Tlv[]): number {
  let octets = 0;
  for (const { value } of tlvs) octets += 4 + value.length;
  return octets;
}
