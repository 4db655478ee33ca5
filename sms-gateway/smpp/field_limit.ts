/** How many characters a string field may have, without its NUL (SMPP 3.4 sections 4 and 5.2). */
export const CHARACTERS_MAX = {
  service_type: 5,
  system_id: 15,
  password: 8,
  system_type: 12,
  address_range: 40,
  address: 20,
  /** Of data_sm and alert_notification. */
  long_address: 64,
  dl_name: 20,
  message_id: 64,
  time: 16,
} as const;

/** By 5.0; 3.4 allows one less. */
export const SHORT_MESSAGE_OCTETS_MAX = 255;

export const DESTINATIONS_MAX = 254;

export const HEADER_OCTETS = 16;
