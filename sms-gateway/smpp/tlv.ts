/** An optional parameter. The value is kept as it came, byte for byte, whether or not its tag is known. */
export interface Tlv {
  tag: number;
  value: Uint8Array;
}

/** Shared by all PDUs that have none. */
export const NO_TLVS: readonly Tlv[] = Object.freeze([]);

/** Tags: SMPP 3.4 section 5.3.2, and what 5.0 section 4.8.4 adds for the commands we speak. */
export const TLV = {
  dest_addr_subunit: 0x0005,
  dest_network_type: 0x0006,
  dest_bearer_type: 0x0007,
  dest_telematics_id: 0x0008,
  source_addr_subunit: 0x000d,
  source_network_type: 0x000e,
  source_bearer_type: 0x000f,
  source_telematics_id: 0x0010,
  qos_time_to_live: 0x0017,
  payload_type: 0x0019,
  additional_status_info_text: 0x001d,
  receipted_message_id: 0x001e,
  ms_msg_wait_facilities: 0x0030,
  privacy_indicator: 0x0201,
  source_subaddress: 0x0202,
  dest_subaddress: 0x0203,
  user_message_reference: 0x0204,
  user_response_code: 0x0205,
  source_port: 0x020a,
  destination_port: 0x020b,
  sar_msg_ref_num: 0x020c,
  language_indicator: 0x020d,
  sar_total_segments: 0x020e,
  sar_segment_seqnum: 0x020f,
  sc_interface_version: 0x0210,
  callback_num_pres_ind: 0x0302,
  callback_num_atag: 0x0303,
  number_of_messages: 0x0304,
  callback_num: 0x0381,
  dpf_result: 0x0420,
  set_dpf: 0x0421,
  ms_availability_status: 0x0422,
  network_error_code: 0x0423,
  message_payload: 0x0424,
  delivery_failure_reason: 0x0425,
  more_messages_to_send: 0x0426,
  message_state: 0x0427,
  congestion_state: 0x0428,
  ussd_service_op: 0x0501,
  billing_identification: 0x060b,
  source_network_id: 0x060d,
  dest_network_id: 0x060e,
  source_node_id: 0x060f,
  dest_node_id: 0x0610,
  dest_addr_np_resolution: 0x0611,
  dest_addr_np_information: 0x0612,
  dest_addr_np_country: 0x0613,
  display_time: 0x1201,
  sms_signal: 0x1203,
  ms_validity: 0x1204,
  alert_on_message_delivery: 0x130c,
  its_reply_type: 0x1380,
  its_session_info: 0x1383,
} as const;

export type TlvName = keyof typeof TLV;

const NAMES: ReadonlyMap<number, string> = new Map(Object.entries(TLV).map(([name, tag]) => [tag, name]));

/** For logs; a tag the standard does not name (0x1400 to 0x3FFF are the vendor's) is shown as a number. */
export function tlvName(tag: number): string {
  return NAMES.get(tag) ?? `0x${tag.toString(16).padStart(4, '0')}`;
}

/** The first value with that tag, or null. Some tags, such as callback_num, may stand several times. */
export function findTlv(tlvs: readonly Tlv[], tag: number): Uint8Array | null {
  for (const tlv of tlvs) if (tlv.tag === tag) return tlv.value;
  return null;
}

/** The first value with that tag as an unsigned number; null where there is none, or one of no or more than four octets. */
export function findTlvNumber(tlvs: readonly Tlv[], tag: number): number | null {
  const value = findTlv(tlvs, tag);
  if (value === null || value.length === 0 || value.length > 4) return null;
  let number = 0;
  for (const octet of value) number = number * 256 + octet;
  return number;
}

/** The first value with that tag as text up to its NUL; carriers also send it without one. */
export function findTlvText(tlvs: readonly Tlv[], tag: number): string | null {
  const value = findTlv(tlvs, tag);
  if (value === null) return null;
  const nul = value.indexOf(0);
  return Buffer.from(value.buffer, value.byteOffset, nul < 0 ? value.length : nul).toString('latin1');
}

export function tlvUint8(tag: number, value: number): Tlv {
  return { tag, value: Uint8Array.of(value) };
}

export function tlvUint16(tag: number, value: number): Tlv {
  return { tag, value: Uint8Array.of(value >>> 8, value) };
}

/** A C-octet string: the NUL at the end is added here. */
export function tlvText(tag: number, text: string): Tlv {
  return { tag, value: Buffer.from(`${text}\0`, 'latin1') };
}
