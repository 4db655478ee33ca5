import { DATA_CODING, INTERFACE_VERSION, NPI, REGISTERED_DELIVERY, TON } from '../field_value.ts';
import type { BindBody, MessageIdBody, ShortMessageBody } from '../pdu.ts';
import { NO_TLVS } from '../tlv.ts';

/** A plain submit_sm; tests change what they are about. */
export function sampleSubmitSm(changes: Partial<ShortMessageBody> = {}): ShortMessageBody {
  return {
    command: 'submit_sm',
    service_type: '',
    source_addr_ton: TON.alphanumeric,
    source_addr_npi: NPI.unknown,
    source_addr: 'Letsdial',
    dest_addr_ton: TON.international,
    dest_addr_npi: NPI.isdn,
    destination_addr: '36301234567',
    esm_class: 0,
    protocol_id: 0,
    priority_flag: 0,
    schedule_delivery_time: '',
    validity_period: '',
    registered_delivery: REGISTERED_DELIVERY.receipt_final,
    replace_if_present_flag: 0,
    data_coding: DATA_CODING.smsc_default,
    sm_default_msg_id: 0,
    short_message: Buffer.from('hello', 'latin1'),
    tlvs: NO_TLVS,
    ...changes,
  };
}

export function sampleDeliverSm(changes: Partial<ShortMessageBody> = {}): ShortMessageBody {
  return sampleSubmitSm({ command: 'deliver_sm', registered_delivery: 0, ...changes });
}

export function sampleSubmitSmResponse(message_id: string | null): MessageIdBody {
  return { command: 'submit_sm_resp', message_id, tlvs: NO_TLVS };
}

export function sampleBind(changes: Partial<BindBody> = {}): BindBody {
  return {
    command: 'bind_transceiver',
    system_id: 'letsdial',
    password: 'secret',
    system_type: '',
    interface_version: INTERFACE_VERSION.v3_4,
    addr_ton: 0,
    addr_npi: 0,
    address_range: '',
    tlvs: NO_TLVS,
    ...changes,
  };
}
