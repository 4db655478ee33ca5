import fc from 'fast-check';
import { CHARACTERS_MAX } from '../field_limit.ts';
import type { Destination, Header, Pdu, PduBody, UnsuccessSme } from '../pdu.ts';
import { TLV } from '../tlv.ts';
import type { Tlv } from '../tlv.ts';

const octet = fc.integer({ min: 0, max: 0xff });
const word = fc.integer({ min: 0, max: 0xffffffff });

function text(characters_max: number): fc.Arbitrary<string> {
  const unit = fc.integer({ min: 1, max: 0xff }).map((code) => String.fromCharCode(code));
  return fc.oneof(fc.constant(''), fc.string({ unit, maxLength: characters_max, size: 'max' }));
}

function bytes(octets_max: number): fc.Arbitrary<Buffer> {
  return fc.uint8Array({ maxLength: octets_max, size: 'max' }).map((value) => Buffer.from(value));
}

const tag = fc.oneof(fc.constantFrom(...Object.values(TLV)), fc.integer({ min: 0, max: 0xffff }));
const tlv_value = fc.oneof(
  { weight: 12, arbitrary: bytes(8) },
  { weight: 4, arbitrary: bytes(60) },
  { weight: 1, arbitrary: bytes(2_000) },
);
const tlv: fc.Arbitrary<Tlv> = fc.record({ tag, value: tlv_value });
const tlvs = fc.oneof(fc.constant([]), fc.array(tlv, { maxLength: 6 }));

const source = { source_addr_ton: octet, source_addr_npi: octet, source_addr: text(CHARACTERS_MAX.address) };
const target = { dest_addr_ton: octet, dest_addr_npi: octet, destination_addr: text(CHARACTERS_MAX.address) };
const long_source = { ...source, source_addr: text(CHARACTERS_MAX.long_address) };
const long_target = { ...target, destination_addr: text(CHARACTERS_MAX.long_address) };
const service_type = text(CHARACTERS_MAX.service_type);
const message_id = text(CHARACTERS_MAX.message_id);
const time = text(CHARACTERS_MAX.time);
const short_message = fc.oneof(bytes(20), bytes(255));
const system_id = text(CHARACTERS_MAX.system_id);
const password = text(CHARACTERS_MAX.password);

const submission = {
  esm_class: octet,
  protocol_id: octet,
  priority_flag: octet,
  schedule_delivery_time: time,
  validity_period: time,
  registered_delivery: octet,
  replace_if_present_flag: octet,
  data_coding: octet,
  sm_default_msg_id: octet,
  short_message,
  tlvs,
};

const destination: fc.Arbitrary<Destination> = fc.oneof(
  fc.record({ dest_flag: fc.constant(1 as const), ...target }),
  fc.record({ dest_flag: fc.constant(2 as const), dl_name: text(CHARACTERS_MAX.dl_name) }),
);

const unsuccess_sme: fc.Arbitrary<UnsuccessSme> = fc.record({ ...target, error_status_code: word });

/** Every kind of PDU that has a body, within the limits of its fields. */
export const arbitraryBody: fc.Arbitrary<PduBody> = fc.oneof(
  fc.record({
    command: fc.constantFrom('submit_sm' as const, 'deliver_sm' as const),
    service_type,
    ...source,
    ...target,
    ...submission,
  }),
  fc.record({
    command: fc.constant('submit_multi' as const),
    service_type,
    ...source,
    dest_addresses: fc.array(destination, { minLength: 1, maxLength: 254, size: 'small' }),
    ...submission,
  }),
  fc.record({
    command: fc.constant('data_sm' as const),
    service_type,
    ...long_source,
    ...long_target,
    esm_class: octet,
    registered_delivery: octet,
    data_coding: octet,
    tlvs,
  }),
  fc.record({ command: fc.constant('query_sm' as const), message_id, ...source, tlvs }),
  fc.record({ command: fc.constant('cancel_sm' as const), service_type, message_id, ...source, ...target, tlvs }),
  fc.record({
    command: fc.constant('replace_sm' as const),
    message_id,
    ...source,
    schedule_delivery_time: time,
    validity_period: time,
    registered_delivery: octet,
    sm_default_msg_id: octet,
    short_message,
    tlvs,
  }),
  fc.record({
    command: fc.constantFrom('bind_transmitter' as const, 'bind_receiver' as const, 'bind_transceiver' as const),
    system_id,
    password,
    system_type: text(CHARACTERS_MAX.system_type),
    interface_version: octet,
    addr_ton: octet,
    addr_npi: octet,
    address_range: text(CHARACTERS_MAX.address_range),
    tlvs,
  }),
  fc.record({ command: fc.constant('outbind' as const), system_id, password, tlvs }),
  fc.record({
    command: fc.constant('alert_notification' as const),
    ...long_source,
    esme_addr_ton: octet,
    esme_addr_npi: octet,
    esme_addr: text(CHARACTERS_MAX.long_address),
    tlvs,
  }),
  fc.record({
    command: fc.constantFrom('submit_sm_resp' as const, 'deliver_sm_resp' as const, 'data_sm_resp' as const),
    message_id,
    tlvs,
  }),
  fc.record({
    command: fc.constant('submit_multi_resp' as const),
    message_id,
    unsuccess_smes: fc.array(unsuccess_sme, { maxLength: 255, size: 'small' }),
    tlvs,
  }),
  fc.record({
    command: fc.constant('query_sm_resp' as const),
    message_id,
    final_date: time,
    message_state: octet,
    error_code: octet,
    tlvs,
  }),
  fc.record({
    command: fc.constantFrom(
      'bind_transmitter_resp' as const,
      'bind_receiver_resp' as const,
      'bind_transceiver_resp' as const,
    ),
    system_id,
    tlvs,
  }),
  fc.record({
    command: fc.constantFrom(
      'enquire_link' as const,
      'enquire_link_resp' as const,
      'unbind' as const,
      'unbind_resp' as const,
      'cancel_sm_resp' as const,
      'replace_sm_resp' as const,
      'generic_nack' as const,
    ),
    tlvs,
  }),
);

/** Responses that consist of their header. */
const arbitraryBodiless: fc.Arbitrary<PduBody> = fc.oneof(
  fc.record({
    command: fc.constantFrom('submit_sm_resp' as const, 'deliver_sm_resp' as const, 'data_sm_resp' as const),
    message_id: fc.constant(null),
    tlvs: fc.constant([]),
  }),
  fc.record({
    command: fc.constantFrom(
      'bind_transmitter_resp' as const,
      'bind_receiver_resp' as const,
      'bind_transceiver_resp' as const,
    ),
    system_id: fc.constant(null),
    tlvs: fc.constant([]),
  }),
  fc.constant({ command: 'submit_multi_resp' as const, message_id: null, unsuccess_smes: [], tlvs: [] }),
  fc.constant({
    command: 'query_sm_resp' as const,
    message_id: null,
    final_date: '',
    message_state: 0,
    error_code: 0,
    tlvs: [],
  }),
);

const header: fc.Arbitrary<Header> = fc.record({
  command_status: fc.oneof(fc.constant(0), word),
  sequence_number: fc.oneof(fc.integer({ min: 1, max: 0x7fffffff }), word),
});

/** Every kind of PDU, bodiless responses included. */
export const arbitraryPdu: fc.Arbitrary<Pdu> = fc
  .tuple(fc.oneof({ weight: 5, arbitrary: arbitraryBody }, { weight: 1, arbitrary: arbitraryBodiless }), header)
  .map(([body, head]) => ({ ...body, ...head }));
