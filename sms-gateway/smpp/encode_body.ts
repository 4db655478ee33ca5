import { CHARACTERS_MAX, DESTINATIONS_MAX, SHORT_MESSAGE_OCTETS_MAX } from './field_limit.ts';
import { EncodeError } from './octet_writer.ts';
import type { OctetWriter } from './octet_writer.ts';
import type {
  AlertNotificationBody,
  BindBody,
  CancelSmBody,
  DataSmBody,
  Destination,
  PduBody,
  QuerySmBody,
  QuerySmResponseBody,
  ReplaceSmBody,
  ShortMessageBody,
  SubmitMultiBody,
  SubmitMultiResponseBody,
  UnsuccessSme,
} from './pdu.ts';

/** The mandatory fields, in the order of SMPP 3.4 section 4. */
export function writeBody(to: OctetWriter, body: PduBody): void {
  switch (body.command) {
    case 'submit_sm':
    case 'deliver_sm':
      return writeShortMessage(to, body);
    case 'submit_sm_resp':
    case 'deliver_sm_resp':
    case 'data_sm_resp':
      if (body.message_id !== null) writeMessageId(to, body.message_id);
      return;
    case 'data_sm':
      return writeDataSm(to, body);
    case 'submit_multi':
      return writeSubmitMulti(to, body);
    case 'submit_multi_resp':
      return writeSubmitMultiResponse(to, body);
    case 'query_sm':
      return writeQuerySm(to, body);
    case 'query_sm_resp':
      return writeQuerySmResponse(to, body);
    case 'cancel_sm':
      return writeCancelSm(to, body);
    case 'replace_sm':
      return writeReplaceSm(to, body);
    case 'bind_transmitter':
    case 'bind_receiver':
    case 'bind_transceiver':
      return writeBind(to, body);
    case 'bind_transmitter_resp':
    case 'bind_receiver_resp':
    case 'bind_transceiver_resp':
      if (body.system_id !== null) to.text(body.system_id, CHARACTERS_MAX.system_id, 'system_id');
      return;
    case 'outbind':
      to.text(body.system_id, CHARACTERS_MAX.system_id, 'system_id');
      to.text(body.password, CHARACTERS_MAX.password, 'password');
      return;
    case 'alert_notification':
      return writeAlertNotification(to, body);
    case 'enquire_link':
    case 'enquire_link_resp':
    case 'unbind':
    case 'unbind_resp':
    case 'cancel_sm_resp':
    case 'replace_sm_resp':
    case 'generic_nack':
      return;
  }
}

function writeMessageId(to: OctetWriter, message_id: string): void {
  to.text(message_id, CHARACTERS_MAX.message_id, 'message_id');
}

interface Source {
  source_addr_ton: number;
  source_addr_npi: number;
  source_addr: string;
}

interface Target {
  dest_addr_ton: number;
  dest_addr_npi: number;
  destination_addr: string;
}

function writeSource(to: OctetWriter, source: Source, characters_max: number): void {
  to.uint8(source.source_addr_ton, 'source_addr_ton');
  to.uint8(source.source_addr_npi, 'source_addr_npi');
  to.text(source.source_addr, characters_max, 'source_addr');
}

function writeTarget(to: OctetWriter, target: Target, characters_max: number): void {
  to.uint8(target.dest_addr_ton, 'dest_addr_ton');
  to.uint8(target.dest_addr_npi, 'dest_addr_npi');
  to.text(target.destination_addr, characters_max, 'destination_addr');
}

function writeText(to: OctetWriter, short_message: Uint8Array): void {
  if (short_message.length > SHORT_MESSAGE_OCTETS_MAX) {
    const why = `${short_message.length} octets do not fit; a longer text goes into the TLV message_payload.`;
    throw new EncodeError('short_message', why);
  }
  to.uint8(short_message.length, 'sm_length');
  to.bytes(short_message);
}

function writeShortMessage(to: OctetWriter, body: ShortMessageBody): void {
  to.text(body.service_type, CHARACTERS_MAX.service_type, 'service_type');
  writeSource(to, body, CHARACTERS_MAX.address);
  writeTarget(to, body, CHARACTERS_MAX.address);
  writeSubmission(to, body);
}

/** What submit_sm, deliver_sm and submit_multi have after the addresses. */
function writeSubmission(to: OctetWriter, body: ShortMessageBody | SubmitMultiBody): void {
  to.uint8(body.esm_class, 'esm_class');
  to.uint8(body.protocol_id, 'protocol_id');
  to.uint8(body.priority_flag, 'priority_flag');
  to.text(body.schedule_delivery_time, CHARACTERS_MAX.time, 'schedule_delivery_time');
  to.text(body.validity_period, CHARACTERS_MAX.time, 'validity_period');
  to.uint8(body.registered_delivery, 'registered_delivery');
  to.uint8(body.replace_if_present_flag, 'replace_if_present_flag');
  to.uint8(body.data_coding, 'data_coding');
  to.uint8(body.sm_default_msg_id, 'sm_default_msg_id');
  writeText(to, body.short_message);
}

function writeSubmitMulti(to: OctetWriter, body: SubmitMultiBody): void {
  const count = body.dest_addresses.length;
  if (count === 0 || count > DESTINATIONS_MAX) {
    throw new EncodeError('dest_addresses', `there are ${count}, and 1 to ${DESTINATIONS_MAX} may be.`);
  }
  to.text(body.service_type, CHARACTERS_MAX.service_type, 'service_type');
  writeSource(to, body, CHARACTERS_MAX.address);
  to.uint8(count, 'number_of_dests');
  for (const destination of body.dest_addresses) writeDestination(to, destination);
  writeSubmission(to, body);
}

function writeDestination(to: OctetWriter, destination: Destination): void {
  to.uint8(destination.dest_flag, 'dest_flag');
  if (destination.dest_flag === 1) writeTarget(to, destination, CHARACTERS_MAX.address);
  else to.text(destination.dl_name, CHARACTERS_MAX.dl_name, 'dl_name');
}

function writeSubmitMultiResponse(to: OctetWriter, body: SubmitMultiResponseBody): void {
  if (body.message_id === null) {
    if (body.unsuccess_smes.length === 0) return;
    throw new EncodeError('unsuccess_smes', 'a response without a body has nowhere for them.');
  }
  writeMessageId(to, body.message_id);
  to.uint8(body.unsuccess_smes.length, 'no_unsuccess');
  for (const sme of body.unsuccess_smes) writeUnsuccessSme(to, sme);
}

function writeUnsuccessSme(to: OctetWriter, sme: UnsuccessSme): void {
  writeTarget(to, sme, CHARACTERS_MAX.address);
  to.uint32(sme.error_status_code, 'error_status_code');
}

function writeDataSm(to: OctetWriter, body: DataSmBody): void {
  to.text(body.service_type, CHARACTERS_MAX.service_type, 'service_type');
  writeSource(to, body, CHARACTERS_MAX.long_address);
  writeTarget(to, body, CHARACTERS_MAX.long_address);
  to.uint8(body.esm_class, 'esm_class');
  to.uint8(body.registered_delivery, 'registered_delivery');
  to.uint8(body.data_coding, 'data_coding');
}

function writeQuerySm(to: OctetWriter, body: QuerySmBody): void {
  writeMessageId(to, body.message_id);
  writeSource(to, body, CHARACTERS_MAX.address);
}

function writeQuerySmResponse(to: OctetWriter, body: QuerySmResponseBody): void {
  if (body.message_id === null) return;
  writeMessageId(to, body.message_id);
  to.text(body.final_date, CHARACTERS_MAX.time, 'final_date');
  to.uint8(body.message_state, 'message_state');
  to.uint8(body.error_code, 'error_code');
}

function writeCancelSm(to: OctetWriter, body: CancelSmBody): void {
  to.text(body.service_type, CHARACTERS_MAX.service_type, 'service_type');
  writeMessageId(to, body.message_id);
  writeSource(to, body, CHARACTERS_MAX.address);
  writeTarget(to, body, CHARACTERS_MAX.address);
}

function writeReplaceSm(to: OctetWriter, body: ReplaceSmBody): void {
  writeMessageId(to, body.message_id);
  writeSource(to, body, CHARACTERS_MAX.address);
  to.text(body.schedule_delivery_time, CHARACTERS_MAX.time, 'schedule_delivery_time');
  to.text(body.validity_period, CHARACTERS_MAX.time, 'validity_period');
  to.uint8(body.registered_delivery, 'registered_delivery');
  to.uint8(body.sm_default_msg_id, 'sm_default_msg_id');
  writeText(to, body.short_message);
}

function writeBind(to: OctetWriter, body: BindBody): void {
  to.text(body.system_id, CHARACTERS_MAX.system_id, 'system_id');
  to.text(body.password, CHARACTERS_MAX.password, 'password');
  to.text(body.system_type, CHARACTERS_MAX.system_type, 'system_type');
  to.uint8(body.interface_version, 'interface_version');
  to.uint8(body.addr_ton, 'addr_ton');
  to.uint8(body.addr_npi, 'addr_npi');
  to.text(body.address_range, CHARACTERS_MAX.address_range, 'address_range');
}

function writeAlertNotification(to: OctetWriter, body: AlertNotificationBody): void {
  writeSource(to, body, CHARACTERS_MAX.long_address);
  to.uint8(body.esme_addr_ton, 'esme_addr_ton');
  to.uint8(body.esme_addr_npi, 'esme_addr_npi');
  to.text(body.esme_addr, CHARACTERS_MAX.long_address, 'esme_addr');
}
