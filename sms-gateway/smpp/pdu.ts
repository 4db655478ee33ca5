import type { CommandName, RequestName, ResponseName } from './command.ts';
import type { Tlv } from './tlv.ts';

/**
 * PDUs of SMPP 3.4 section 4 as plain objects, told apart by `command`. Field names are the standard's.
 * Strings hold one character per octet (latin1), without the NUL that ends them on the wire.
 * In what was decoded, `short_message` and TLV values are views of the bytes that arrived, not copies.
 * Numbers are octets unless another width is said.
 */
export type PduBody = RequestBody | ResponseBody | AnnouncementBody;

export interface Header {
  /** 32 bits; zero in a request. */
  command_status: number;
  /** 32 bits; 1 to 0x7FFFFFFF by the standard. */
  sequence_number: number;
}

export type Pdu = PduBody & Header;

/** The requests that expect a response. */
export type RequestBody =
  | BindBody
  | ShortMessageBody
  | SubmitMultiBody
  | DataSmBody
  | QuerySmBody
  | CancelSmBody
  | ReplaceSmBody
  | BareBody<'enquire_link' | 'unbind'>;

export type RequestPdu = RequestBody & Header;

export type ResponseBody =
  | BindResponseBody
  | MessageIdBody
  | SubmitMultiResponseBody
  | QuerySmResponseBody
  | BareBody<'enquire_link_resp' | 'unbind_resp' | 'cancel_sm_resp' | 'replace_sm_resp' | 'generic_nack'>;

export type ResponsePdu = ResponseBody & Header;

/** What is told and not answered. */
export type AnnouncementBody = OutbindBody | AlertNotificationBody;

/** The PDU of one command. */
export type PduOf<C extends CommandName> = Matching<Pdu, C>;

type Matching<P, C> = P extends { command: infer Names } ? (C extends Names ? P & { command: C } : never) : never;

interface Optional {
  tlvs: readonly Tlv[];
}

/** Section 4.1. */
export interface BindBody extends Optional {
  command: 'bind_transmitter' | 'bind_receiver' | 'bind_transceiver';
  /** At most 15 characters. */
  system_id: string;
  /** At most 8 characters. */
  password: string;
  /** At most 12 characters. */
  system_type: string;
  interface_version: number;
  addr_ton: number;
  addr_npi: number;
  /** At most 40 characters. */
  address_range: string;
}

export interface BindResponseBody extends Optional {
  command: 'bind_transmitter_resp' | 'bind_receiver_resp' | 'bind_transceiver_resp';
  /** Null where the PDU has no body, as the standard wants it of an error. */
  system_id: string | null;
}

/** Section 4.1.7. */
export interface OutbindBody extends Optional {
  command: 'outbind';
  system_id: string;
  password: string;
}

/** Sections 4.4 and 4.6: submit_sm and deliver_sm have the same layout. */
export interface ShortMessageBody extends Optional {
  command: 'submit_sm' | 'deliver_sm';
  /** At most 5 characters. */
  service_type: string;
  source_addr_ton: number;
  source_addr_npi: number;
  /** At most 20 characters. */
  source_addr: string;
  dest_addr_ton: number;
  dest_addr_npi: number;
  /** At most 20 characters. */
  destination_addr: string;
  esm_class: number;
  protocol_id: number;
  priority_flag: number;
  /** Empty, or the 16 characters of section 7.1.1. */
  schedule_delivery_time: string;
  /** Empty, or the 16 characters of section 7.1.1. */
  validity_period: string;
  registered_delivery: number;
  replace_if_present_flag: number;
  data_coding: number;
  sm_default_msg_id: number;
  /** At most 254 octets by 3.4, 255 by 5.0; longer ones go into the TLV message_payload. */
  short_message: Uint8Array;
}

/** Section 4.5. */
export interface SubmitMultiBody extends Optional {
  command: 'submit_multi';
  service_type: string;
  source_addr_ton: number;
  source_addr_npi: number;
  source_addr: string;
  /** 1 to 254 of them. */
  dest_addresses: readonly Destination[];
  esm_class: number;
  protocol_id: number;
  priority_flag: number;
  schedule_delivery_time: string;
  validity_period: string;
  registered_delivery: number;
  replace_if_present_flag: number;
  data_coding: number;
  sm_default_msg_id: number;
  short_message: Uint8Array;
}

/** Section 4.5.1.1: an SME's address or the name of a distribution list. */
export type Destination =
  | { dest_flag: 1; dest_addr_ton: number; dest_addr_npi: number; destination_addr: string }
  | { dest_flag: 2; dl_name: string };

export interface SubmitMultiResponseBody extends Optional {
  command: 'submit_multi_resp';
  /** Null where the PDU has no body. */
  message_id: string | null;
  unsuccess_smes: readonly UnsuccessSme[];
}

export interface UnsuccessSme {
  dest_addr_ton: number;
  dest_addr_npi: number;
  destination_addr: string;
  /** 32 bits, a command_status. */
  error_status_code: number;
}

/** Section 4.7. Its text is in the TLV message_payload. */
export interface DataSmBody extends Optional {
  command: 'data_sm';
  service_type: string;
  source_addr_ton: number;
  source_addr_npi: number;
  /** At most 64 characters. */
  source_addr: string;
  dest_addr_ton: number;
  dest_addr_npi: number;
  /** At most 64 characters. */
  destination_addr: string;
  esm_class: number;
  registered_delivery: number;
  data_coding: number;
}

export interface MessageIdBody extends Optional {
  command: 'submit_sm_resp' | 'deliver_sm_resp' | 'data_sm_resp';
  /** At most 64 characters when we send it; carriers send longer ones. Null where the PDU has no body. */
  message_id: string | null;
}

/** Section 4.8. */
export interface QuerySmBody extends Optional {
  command: 'query_sm';
  message_id: string;
  source_addr_ton: number;
  source_addr_npi: number;
  source_addr: string;
}

export interface QuerySmResponseBody extends Optional {
  command: 'query_sm_resp';
  /** Null where the PDU has no body; the other fields then say nothing. */
  message_id: string | null;
  final_date: string;
  message_state: number;
  error_code: number;
}

/** Section 4.9. */
export interface CancelSmBody extends Optional {
  command: 'cancel_sm';
  service_type: string;
  message_id: string;
  source_addr_ton: number;
  source_addr_npi: number;
  source_addr: string;
  dest_addr_ton: number;
  dest_addr_npi: number;
  destination_addr: string;
}

/** Section 4.10. */
export interface ReplaceSmBody extends Optional {
  command: 'replace_sm';
  message_id: string;
  source_addr_ton: number;
  source_addr_npi: number;
  source_addr: string;
  schedule_delivery_time: string;
  validity_period: string;
  registered_delivery: number;
  sm_default_msg_id: number;
  short_message: Uint8Array;
}

/** Section 4.12. */
export interface AlertNotificationBody extends Optional {
  command: 'alert_notification';
  source_addr_ton: number;
  source_addr_npi: number;
  /** At most 64 characters. */
  source_addr: string;
  esme_addr_ton: number;
  esme_addr_npi: number;
  /** At most 64 characters. */
  esme_addr: string;
}

/** Commands that are a header only; what else they carry is taken for TLVs. */
export interface BareBody<C extends RequestName | ResponseName> extends Optional {
  command: C;
}
