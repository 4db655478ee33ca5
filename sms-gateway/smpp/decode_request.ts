import { CHARACTERS_MAX, DESTINATIONS_MAX } from './field_limit.ts';
import type { OctetReader } from './octet_reader.ts';
import type {
  Destination,
  Header,
  Pdu,
  AlertNotificationBody,
  BindBody,
  CancelSmBody,
  DataSmBody,
  OutbindBody,
  QuerySmBody,
  ReplaceSmBody,
  ShortMessageBody,
  SubmitMultiBody,
} from './pdu.ts';
import { STATUS } from './status.ts';

/** The most frequent first. Null for a command the standard does not have; the reader's status tells of all else. */
export function decodeRequestBody(
  reader: OctetReader,
  command_id: number,
  command_status: number,
  sequence_number: number,
): Pdu | null {
  switch (command_id) {
    case 0x04:
      return shortMessage(reader, 'submit_sm', command_status, sequence_number);
    case 0x05:
      return shortMessage(reader, 'deliver_sm', command_status, sequence_number);
    case 0x15:
      return { command: 'enquire_link', command_status, sequence_number, tlvs: reader.tlvs() };
    case 0x103:
      return dataSm(reader, command_status, sequence_number);
    case 0x21:
      return submitMulti(reader, command_status, sequence_number);
    case 0x03:
      return querySm(reader, command_status, sequence_number);
    case 0x08:
      return cancelSm(reader, command_status, sequence_number);
    case 0x07:
      return replaceSm(reader, command_status, sequence_number);
    case 0x01:
      return bind(reader, 'bind_receiver', command_status, sequence_number);
    case 0x02:
      return bind(reader, 'bind_transmitter', command_status, sequence_number);
    case 0x09:
      return bind(reader, 'bind_transceiver', command_status, sequence_number);
    case 0x06:
      return { command: 'unbind', command_status, sequence_number, tlvs: reader.tlvs() };
    case 0x0b:
      return outbind(reader, command_status, sequence_number);
    case 0x102:
      return alertNotification(reader, command_status, sequence_number);
    default:
      return null;
  }
}

function serviceType(reader: OctetReader): string {
  return reader.text('service_type', CHARACTERS_MAX.service_type, STATUS.ESME_RINVSERTYP);
}

function messageId(reader: OctetReader): string {
  return reader.text('message_id', CHARACTERS_MAX.message_id, STATUS.ESME_RINVMSGID);
}

function scheduleDeliveryTime(reader: OctetReader): string {
  return reader.text('schedule_delivery_time', CHARACTERS_MAX.time, STATUS.ESME_RINVSCHED);
}

function validityPeriod(reader: OctetReader): string {
  return reader.text('validity_period', CHARACTERS_MAX.time, STATUS.ESME_RINVEXPIRY);
}

function systemId(reader: OctetReader): string {
  return reader.text('system_id', CHARACTERS_MAX.system_id, STATUS.ESME_RINVSYSID);
}

function password(reader: OctetReader): string {
  return reader.text('password', CHARACTERS_MAX.password, STATUS.ESME_RINVPASWD);
}

function shortMessageText(reader: OctetReader): Buffer {
  return reader.view(reader.uint8('sm_length'), 'short_message', STATUS.ESME_RINVMSGLEN);
}

/** Object literals are evaluated in the order they are written, which is the order of the wire. */
function shortMessage(
  reader: OctetReader,
  command: 'submit_sm' | 'deliver_sm',
  command_status: number,
  sequence_number: number,
): ShortMessageBody & Header {
  return {
    command,
    command_status,
    sequence_number,
    service_type: serviceType(reader),
    source_addr_ton: reader.uint8('source_addr_ton'),
    source_addr_npi: reader.uint8('source_addr_npi'),
    source_addr: reader.address('source_addr', STATUS.ESME_RINVSRCADR),
    dest_addr_ton: reader.uint8('dest_addr_ton'),
    dest_addr_npi: reader.uint8('dest_addr_npi'),
    destination_addr: reader.address('destination_addr', STATUS.ESME_RINVDSTADR),
    esm_class: reader.uint8('esm_class'),
    protocol_id: reader.uint8('protocol_id'),
    priority_flag: reader.uint8('priority_flag'),
    schedule_delivery_time: scheduleDeliveryTime(reader),
    validity_period: validityPeriod(reader),
    registered_delivery: reader.uint8('registered_delivery'),
    replace_if_present_flag: reader.uint8('replace_if_present_flag'),
    data_coding: reader.uint8('data_coding'),
    sm_default_msg_id: reader.uint8('sm_default_msg_id'),
    short_message: shortMessageText(reader),
    tlvs: reader.tlvs(),
  };
}

function submitMulti(reader: OctetReader, command_status: number, sequence_number: number): SubmitMultiBody & Header {
  return {
    command: 'submit_multi',
    command_status,
    sequence_number,
    service_type: serviceType(reader),
    source_addr_ton: reader.uint8('source_addr_ton'),
    source_addr_npi: reader.uint8('source_addr_npi'),
    source_addr: reader.address('source_addr', STATUS.ESME_RINVSRCADR),
    dest_addresses: destinations(reader),
    esm_class: reader.uint8('esm_class'),
    protocol_id: reader.uint8('protocol_id'),
    priority_flag: reader.uint8('priority_flag'),
    schedule_delivery_time: scheduleDeliveryTime(reader),
    validity_period: validityPeriod(reader),
    registered_delivery: reader.uint8('registered_delivery'),
    replace_if_present_flag: reader.uint8('replace_if_present_flag'),
    data_coding: reader.uint8('data_coding'),
    sm_default_msg_id: reader.uint8('sm_default_msg_id'),
    short_message: shortMessageText(reader),
    tlvs: reader.tlvs(),
  };
}

function destinations(reader: OctetReader): readonly Destination[] {
  const count = reader.uint8('number_of_dests');
  if (reader.status === STATUS.ESME_ROK && (count === 0 || count > DESTINATIONS_MAX)) {
    reader.fail(STATUS.ESME_RINVNUMDESTS, `number_of_dests is ${count}.`);
  }
  const found: Destination[] = [];
  while (found.length < count && reader.status === STATUS.ESME_ROK) {
    const dest_flag = reader.uint8('dest_flag');
    if (dest_flag === 1) {
      found.push({
        dest_flag,
        dest_addr_ton: reader.uint8('dest_addr_ton'),
        dest_addr_npi: reader.uint8('dest_addr_npi'),
        destination_addr: reader.address('destination_addr', STATUS.ESME_RINVDSTADR),
      });
    } else if (dest_flag === 2) {
      found.push({ dest_flag, dl_name: reader.text('dl_name', CHARACTERS_MAX.dl_name, STATUS.ESME_RINVDLNAME) });
    } else {
      reader.fail(STATUS.ESME_RINVDESTFLAG, `dest_flag is ${dest_flag}, neither 1 nor 2.`);
    }
  }
  return found;
}

function dataSm(reader: OctetReader, command_status: number, sequence_number: number): DataSmBody & Header {
  return {
    command: 'data_sm',
    command_status,
    sequence_number,
    service_type: serviceType(reader),
    source_addr_ton: reader.uint8('source_addr_ton'),
    source_addr_npi: reader.uint8('source_addr_npi'),
    source_addr: reader.text('source_addr', CHARACTERS_MAX.long_address, STATUS.ESME_RINVSRCADR),
    dest_addr_ton: reader.uint8('dest_addr_ton'),
    dest_addr_npi: reader.uint8('dest_addr_npi'),
    destination_addr: reader.text('destination_addr', CHARACTERS_MAX.long_address, STATUS.ESME_RINVDSTADR),
    esm_class: reader.uint8('esm_class'),
    registered_delivery: reader.uint8('registered_delivery'),
    data_coding: reader.uint8('data_coding'),
    tlvs: reader.tlvs(),
  };
}

function querySm(reader: OctetReader, command_status: number, sequence_number: number): QuerySmBody & Header {
  return {
    command: 'query_sm',
    command_status,
    sequence_number,
    message_id: messageId(reader),
    source_addr_ton: reader.uint8('source_addr_ton'),
    source_addr_npi: reader.uint8('source_addr_npi'),
    source_addr: reader.address('source_addr', STATUS.ESME_RINVSRCADR),
    tlvs: reader.tlvs(),
  };
}

function cancelSm(reader: OctetReader, command_status: number, sequence_number: number): CancelSmBody & Header {
  return {
    command: 'cancel_sm',
    command_status,
    sequence_number,
    service_type: serviceType(reader),
    message_id: messageId(reader),
    source_addr_ton: reader.uint8('source_addr_ton'),
    source_addr_npi: reader.uint8('source_addr_npi'),
    source_addr: reader.address('source_addr', STATUS.ESME_RINVSRCADR),
    dest_addr_ton: reader.uint8('dest_addr_ton'),
    dest_addr_npi: reader.uint8('dest_addr_npi'),
    destination_addr: reader.address('destination_addr', STATUS.ESME_RINVDSTADR),
    tlvs: reader.tlvs(),
  };
}

function replaceSm(reader: OctetReader, command_status: number, sequence_number: number): ReplaceSmBody & Header {
  return {
    command: 'replace_sm',
    command_status,
    sequence_number,
    message_id: messageId(reader),
    source_addr_ton: reader.uint8('source_addr_ton'),
    source_addr_npi: reader.uint8('source_addr_npi'),
    source_addr: reader.address('source_addr', STATUS.ESME_RINVSRCADR),
    schedule_delivery_time: scheduleDeliveryTime(reader),
    validity_period: validityPeriod(reader),
    registered_delivery: reader.uint8('registered_delivery'),
    sm_default_msg_id: reader.uint8('sm_default_msg_id'),
    short_message: shortMessageText(reader),
    tlvs: reader.tlvs(),
  };
}

function bind(
  reader: OctetReader,
  command: 'bind_receiver' | 'bind_transmitter' | 'bind_transceiver',
  command_status: number,
  sequence_number: number,
): BindBody & Header {
  return {
    command,
    command_status,
    sequence_number,
    system_id: systemId(reader),
    password: password(reader),
    system_type: reader.text('system_type', CHARACTERS_MAX.system_type, STATUS.ESME_RINVSYSTYP),
    interface_version: reader.uint8('interface_version'),
    addr_ton: reader.uint8('addr_ton'),
    addr_npi: reader.uint8('addr_npi'),
    address_range: reader.text('address_range', CHARACTERS_MAX.address_range, STATUS.ESME_RINVPARLEN),
    tlvs: reader.tlvs(),
  };
}

function outbind(reader: OctetReader, command_status: number, sequence_number: number): OutbindBody & Header {
  return {
    command: 'outbind',
    command_status,
    sequence_number,
    system_id: systemId(reader),
    password: password(reader),
    tlvs: reader.tlvs(),
  };
}

function alertNotification(
  reader: OctetReader,
  command_status: number,
  sequence_number: number,
): AlertNotificationBody & Header {
  return {
    command: 'alert_notification',
    command_status,
    sequence_number,
    source_addr_ton: reader.uint8('source_addr_ton'),
    source_addr_npi: reader.uint8('source_addr_npi'),
    source_addr: reader.text('source_addr', CHARACTERS_MAX.long_address, STATUS.ESME_RINVSRCADR),
    esme_addr_ton: reader.uint8('esme_addr_ton'),
    esme_addr_npi: reader.uint8('esme_addr_npi'),
    esme_addr: reader.text('esme_addr', CHARACTERS_MAX.long_address, STATUS.ESME_RINVDSTADR),
    tlvs: reader.tlvs(),
  };
}
