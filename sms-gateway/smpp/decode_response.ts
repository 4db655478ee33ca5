import { CHARACTERS_MAX } from './field_limit.ts';
import type { OctetReader } from './octet_reader.ts';
import type {
  Header,
  Pdu,
  UnsuccessSme,
  BindResponseBody,
  MessageIdBody,
  QuerySmResponseBody,
  SubmitMultiResponseBody,
} from './pdu.ts';
import { STATUS } from './status.ts';
import { NO_TLVS } from './tlv.ts';

/** `request_id` is the command id without the bit that makes it a response. Null for a command the standard does not have. */
export function decodeResponseBody(
  reader: OctetReader,
  request_id: number,
  command_status: number,
  sequence_number: number,
): Pdu | null {
  switch (request_id) {
    case 0x04:
      return messageIdResponse(reader, 'submit_sm_resp', command_status, sequence_number);
    case 0x05:
      return messageIdResponse(reader, 'deliver_sm_resp', command_status, sequence_number);
    case 0x15:
      return { command: 'enquire_link_resp', command_status, sequence_number, tlvs: reader.tlvs() };
    case 0x103:
      return messageIdResponse(reader, 'data_sm_resp', command_status, sequence_number);
    case 0x21:
      return submitMultiResponse(reader, command_status, sequence_number);
    case 0x03:
      return querySmResponse(reader, command_status, sequence_number);
    case 0x08:
      return { command: 'cancel_sm_resp', command_status, sequence_number, tlvs: reader.tlvs() };
    case 0x07:
      return { command: 'replace_sm_resp', command_status, sequence_number, tlvs: reader.tlvs() };
    case 0x01:
      return bindResponse(reader, 'bind_receiver_resp', command_status, sequence_number);
    case 0x02:
      return bindResponse(reader, 'bind_transmitter_resp', command_status, sequence_number);
    case 0x09:
      return bindResponse(reader, 'bind_transceiver_resp', command_status, sequence_number);
    case 0x06:
      return { command: 'unbind_resp', command_status, sequence_number, tlvs: reader.tlvs() };
    case 0x00:
      return { command: 'generic_nack', command_status, sequence_number, tlvs: reader.tlvs() };
    default:
      return null;
  }
}

function messageId(reader: OctetReader): string {
  return reader.text('message_id', CHARACTERS_MAX.message_id, STATUS.ESME_RINVMSGID);
}

function messageIdResponse(
  reader: OctetReader,
  command: 'submit_sm_resp' | 'deliver_sm_resp' | 'data_sm_resp',
  command_status: number,
  sequence_number: number,
): MessageIdBody & Header {
  return {
    command,
    command_status,
    sequence_number,
    message_id: reader.left_octets === 0 ? null : messageId(reader),
    tlvs: reader.tlvs(),
  };
}

function bindResponse(
  reader: OctetReader,
  command: 'bind_receiver_resp' | 'bind_transmitter_resp' | 'bind_transceiver_resp',
  command_status: number,
  sequence_number: number,
): BindResponseBody & Header {
  return {
    command,
    command_status,
    sequence_number,
    system_id:
      reader.left_octets === 0 ? null : reader.text('system_id', CHARACTERS_MAX.system_id, STATUS.ESME_RINVSYSID),
    tlvs: reader.tlvs(),
  };
}

function submitMultiResponse(
  reader: OctetReader,
  command_status: number,
  sequence_number: number,
): SubmitMultiResponseBody & Header {
  const pdu: SubmitMultiResponseBody & Header = {
    command: 'submit_multi_resp',
    command_status,
    sequence_number,
    message_id: reader.left_octets === 0 ? null : messageId(reader),
    unsuccess_smes: reader.left_octets === 0 ? [] : unsuccessSmes(reader),
    tlvs: reader.tlvs(),
  };
  if (forgive(reader, command_status)) return { ...pdu, message_id: null, unsuccess_smes: [], tlvs: NO_TLVS };
  return pdu;
}

function unsuccessSmes(reader: OctetReader): readonly UnsuccessSme[] {
  const count = reader.uint8('no_unsuccess');
  const found: UnsuccessSme[] = [];
  while (found.length < count && reader.status === STATUS.ESME_ROK) {
    found.push({
      dest_addr_ton: reader.uint8('dest_addr_ton'),
      dest_addr_npi: reader.uint8('dest_addr_npi'),
      destination_addr: reader.address('destination_addr', STATUS.ESME_RINVDSTADR),
      error_status_code: reader.uint32('error_status_code'),
    });
  }
  return found;
}

function querySmResponse(
  reader: OctetReader,
  command_status: number,
  sequence_number: number,
): QuerySmResponseBody & Header {
  if (reader.left_octets === 0) return withoutQueryResult(command_status, sequence_number);
  const pdu: QuerySmResponseBody & Header = {
    command: 'query_sm_resp',
    command_status,
    sequence_number,
    message_id: messageId(reader),
    final_date: reader.text('final_date', CHARACTERS_MAX.time, STATUS.ESME_RINVPARLEN),
    message_state: reader.uint8('message_state'),
    error_code: reader.uint8('error_code'),
    tlvs: reader.tlvs(),
  };
  return forgive(reader, command_status) ? withoutQueryResult(command_status, sequence_number) : pdu;
}

function withoutQueryResult(command_status: number, sequence_number: number): QuerySmResponseBody & Header {
  return {
    command: 'query_sm_resp',
    command_status,
    sequence_number,
    message_id: null,
    final_date: '',
    message_state: 0,
    error_code: 0,
    tlvs: NO_TLVS,
  };
}

/** With an error status the status is all that matters; section 4 wants no body there at all. */
function forgive(reader: OctetReader, command_status: number): boolean {
  if (reader.status === STATUS.ESME_ROK || command_status === STATUS.ESME_ROK) return false;
  reader.status = STATUS.ESME_ROK;
  return true;
}
