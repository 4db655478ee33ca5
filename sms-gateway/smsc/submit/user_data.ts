import { elementIds } from '../../../domain/texts/encoding/udh.ts';
import { DATA_CODING, ESM_CLASS } from '../../smpp/field_value.ts';
import { findTlv, findTlvNumber, TLV } from '../../smpp/tlv.ts';
import type { Tlv } from '../../smpp/tlv.ts';

/** What a PDU carries for the handset. */
export interface UserData {
  octets: Uint8Array;
  /** Whether the octets begin with a user data header. */
  has_udh: boolean;
}

const NOTHING = new Uint8Array(0);

/**
 * The text of short_message or of the TLV message_payload; null where both have one (SMPP 3.4 section 5.3.2.32). What the TLVs of
 * segmentation (sar_*) and of ports say becomes the header that says the same (3GPP TS 23.040, 9.2.3.24); where there is one
 * already, it counts alone.
 */
export function readUserData(
  esm_class: number,
  short_message: Uint8Array | null,
  tlvs: readonly Tlv[],
): UserData | null {
  const payload = tlvs.length === 0 ? null : findTlv(tlvs, TLV.message_payload);
  if (payload !== null && short_message !== null && short_message.length > 0) return null;
  const octets = payload ?? short_message ?? NOTHING;
  if ((esm_class & ESM_CLASS.udh_indicator) !== 0) return { octets, has_udh: true };
  const elements = tlvs.length === 0 ? [] : [...concatenationOf(tlvs), ...portsOf(tlvs)];
  if (elements.length === 0) return { octets, has_udh: false };
  return { octets: Uint8Array.of(elements.length, ...elements, ...octets), has_udh: true };
}

/**
 * With a reference of 8 bits, though SAR has 16: ESMEs cut their parts for the shorter header, beside which a full part of 153
 * characters fits, and beside the longer it would not.
 */
function concatenationOf(tlvs: readonly Tlv[]): number[] {
  const reference = findTlvNumber(tlvs, TLV.sar_msg_ref_num);
  const total = findTlvNumber(tlvs, TLV.sar_total_segments);
  const part = findTlvNumber(tlvs, TLV.sar_segment_seqnum);
  if (reference === null || total === null || part === null || total < 2 || total > 255) return [];
  return part < 1 || part > total ? [] : [elementIds.concat_8, 3, reference & 0xff, total, part];
}

function portsOf(tlvs: readonly Tlv[]): number[] {
  const destination = findTlvNumber(tlvs, TLV.destination_port);
  if (destination === null || destination > 0xffff) return [];
  const source = (findTlvNumber(tlvs, TLV.source_port) ?? 0) & 0xffff;
  return [elementIds.ports_16, 4, destination >> 8, destination & 0xff, source >> 8, source & 0xff];
}

/**
 * The alphabet that the octets are in. Some programs, of which the npm package `smpp` is one, write GSM 7 and call it ASCII
 * (SMPP 3.4 section 5.2.19): what no ASCII text has, such as the zero that is GSM 7's @, gives them away. It would be lost.
 */
export function readDataCoding(data_coding: number, { octets, has_udh }: UserData): number {
  if (data_coding !== DATA_CODING.ia5) return data_coding;
  for (let at = has_udh ? (octets[0] ?? 0) + 1 : 0; at < octets.length; at += 1) {
    const octet = octets[at] ?? 0;
    if (octet < 0x20 && octet !== TAB && octet !== LF && octet !== CR) return DATA_CODING.smsc_default;
  }
  return data_coding;
}

const [TAB, LF, CR] = [0x09, 0x0a, 0x0d];
