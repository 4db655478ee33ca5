import { addressOf, PLAIN_ADDRESSES } from '../../carriers/submit_body.ts';
import type { ShortMessageBody } from '../../smpp/pdu.ts';
import type { Tlv } from '../../smpp/tlv.ts';

export type DeliverSm = ShortMessageBody & { command: 'deliver_sm' };

/** SMPP 3.4 section 4.6.1: fields that a deliver_sm has and does not use are empty. */
export function deliveryBody(
  from: string,
  to: string,
  content: { esm_class: number; data_coding: number; short_message: Uint8Array; tlvs: readonly Tlv[] },
): DeliverSm {
  const source = addressOf(from, PLAIN_ADDRESSES);
  const destination = addressOf(to, PLAIN_ADDRESSES);
  return {
    command: 'deliver_sm',
    service_type: '',
    source_addr_ton: source.ton,
    source_addr_npi: source.npi,
    source_addr: source.address.slice(0, ADDRESS_CHARACTERS_MAX),
    dest_addr_ton: destination.ton,
    dest_addr_npi: destination.npi,
    destination_addr: destination.address.slice(0, ADDRESS_CHARACTERS_MAX),
    protocol_id: 0,
    priority_flag: 0,
    schedule_delivery_time: '',
    validity_period: '',
    registered_delivery: 0,
    replace_if_present_flag: 0,
    sm_default_msg_id: 0,
    ...content,
  };
}

/** Carriers have brought longer senders. */
const ADDRESS_CHARACTERS_MAX = 20;
