/** Type of number, SMPP 3.4 section 5.2.5. */
export const TON = {
  unknown: 0,
  international: 1,
  national: 2,
  network_specific: 3,
  subscriber_number: 4,
  alphanumeric: 5,
  abbreviated: 6,
} as const;

/** Numbering plan indicator, SMPP 3.4 section 5.2.6. */
export const NPI = {
  unknown: 0,
  isdn: 1,
  data: 3,
  telex: 4,
  land_mobile: 6,
  national: 8,
  private: 9,
  ermes: 10,
  internet: 14,
  wap_client_id: 18,
} as const;

/** Bits of esm_class, SMPP 3.4 section 5.2.12. The message type of 0x3C is one value, not four flags. */
export const ESM_CLASS = {
  mode_mask: 0x03,
  mode_datagram: 0x01,
  mode_forward: 0x02,
  mode_store_and_forward: 0x03,
  type_mask: 0x3c,
  type_delivery_receipt: 0x04,
  type_delivery_acknowledgement: 0x08,
  type_user_acknowledgement: 0x10,
  type_conversation_abort: 0x18,
  type_intermediate_notification: 0x20,
  udh_indicator: 0x40,
  reply_path: 0x80,
} as const;

/** Values of registered_delivery, SMPP 3.4 section 5.2.17. */
export const REGISTERED_DELIVERY = {
  receipt_mask: 0x03,
  receipt_none: 0x00,
  receipt_final: 0x01,
  receipt_on_failure: 0x02,
  acknowledgement_mask: 0x0c,
  intermediate_notification: 0x10,
} as const;

/** Values of data_coding, SMPP 3.4 section 5.2.19; 0xF0 and up carry a message class (3GPP TS 23.038 section 4). */
export const DATA_CODING = {
  smsc_default: 0x00,
  ia5: 0x01,
  octets: 0x02,
  latin1: 0x03,
  octets_unspecified: 0x04,
  jis: 0x05,
  cyrillic: 0x06,
  hebrew: 0x07,
  ucs2: 0x08,
  pictogram: 0x09,
  iso_2022_jp: 0x0a,
  extended_kanji_jis: 0x0d,
  ks_c_5601: 0x0e,
} as const;

/** Values of message_state, SMPP 3.4 section 5.2.28; 0, 9 are of 5.0. */
export const MESSAGE_STATE = {
  scheduled: 0,
  enroute: 1,
  delivered: 2,
  expired: 3,
  deleted: 4,
  undeliverable: 5,
  accepted: 6,
  unknown: 7,
  rejected: 8,
  skipped: 9,
} as const;

/** Values of interface_version, SMPP 3.4 section 5.2.4 and 5.0 section 4.7.13. */
export const INTERFACE_VERSION = { v3_3: 0x33, v3_4: 0x34, v5_0: 0x50 } as const;
