import { INTERFACE_VERSION } from './field_value.ts';

/** What both sides of a session are told; the timers are those of SMPP 3.4 section 7.2. */
export interface SessionSettings {
  /** 0x34 or 0x50; told to the peer in the bind, or in its response. */
  interface_version: number;
  /** How many requests of ours may be unanswered at a time. */
  window_requests: number;
  /** A request without a response for so long is in doubt. */
  request_timeout_ms: number;
  /** From the connection to the response to the bind. */
  bind_timeout_ms: number;
  /** After so long without a word from the peer it is asked with an enquire_link. */
  enquire_link_idle_ms: number;
  enquire_link_timeout_ms: number;
  /** After so long without a word the session is ended even where no enquire_link was sent; null: never. */
  inactivity_ms: number | null;
  /** How long an orderly end waits for responses that are due on either side. */
  drain_timeout_ms: number;
  /** How long an unbind_resp, and then the peer's end of the connection, are waited for. */
  unbind_timeout_ms: number;
  /** With more requests of the peer unanswered by our side, nothing is read until half of them are answered. */
  incoming_requests_max: number;
  /** A longer PDU ends the session. */
  pdu_octets_max: number;
  /** With more octets waiting to be written, nothing new is sent or read. */
  backlog_octets_max: number;
  /** A peer that takes nothing for so long while something waits is given up. */
  unread_timeout_ms: number;
  /** How many requests that timed out are remembered for a late response. */
  late_responses_max: number;
  /** How often the timers are looked at; they are so exact. */
  tick_ms: number;
}

export const SESSION_DEFAULTS: Readonly<SessionSettings> = {
  interface_version: INTERFACE_VERSION.v3_4,
  window_requests: 100,
  request_timeout_ms: 30_000,
  bind_timeout_ms: 10_000,
  enquire_link_idle_ms: 30_000,
  enquire_link_timeout_ms: 15_000,
  inactivity_ms: null,
  drain_timeout_ms: 5_000,
  unbind_timeout_ms: 5_000,
  incoming_requests_max: 1_000,
  pdu_octets_max: 65_536,
  backlog_octets_max: 1_048_576,
  unread_timeout_ms: 30_000,
  late_responses_max: 10_000,
  tick_ms: 250,
};
