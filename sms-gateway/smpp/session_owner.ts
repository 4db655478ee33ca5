import type { CloseReason } from './close_reason.ts';
import type { AlertNotificationBody, BindBody, Header, OutbindBody, RequestBody, ResponseBody } from './pdu.ts';
import type { BindMode } from './session_state.ts';
import type { Tlv } from './tlv.ts';

/** The requests that a session answers only with the help of its owner. */
export type ServedBody = Exclude<RequestBody, BindBody | { command: 'enquire_link' | 'unbind' }>;
export type ServedPdu = ServedBody & Header;

/**
 * Answers one request, once, now or later and in any order. Without a body the response has only what the standard asks for.
 * @returns false when the session is gone: the peer did not get it and will ask again, or thinks it in doubt.
 * @throws Error on a second answer or one of another command, EncodeError when it does not fit.
 */
export type Respond = (command_status: number, body?: ResponseBody) => boolean;

export type BindAnswer =
  { kind: 'accepted'; system_id: string; tlvs?: readonly Tlv[] } | { kind: 'refused'; command_status: number };

export interface Bound {
  mode: BindMode;
  /** As the peer names itself; empty where it did not. */
  peer_system_id: string;
  /** Null where the SMSC did not tell it: it may then not understand TLVs (SMPP 3.4 section 5.3.2.25). */
  peer_interface_version: number | null;
}

/** Whoever a session works for. It must not throw. */
export interface SessionOwner {
  /** SMSC only: a peer wants to bind. To be answered once, with the bind timer running. */
  onBindRequest?(pdu: BindBody & Header, answer: (answer: BindAnswer) => void): void;
  /** The peer is an SMSC, and asks us to bind on this connection. */
  onOutbind?(pdu: OutbindBody & Header): void;
  onBound(bound: Bound): void;
  onRequest(pdu: ServedPdu, respond: Respond): void;
  onAlert?(pdu: AlertNotificationBody & Header): void;
  /** `can_send` was found false and is true again. */
  onCanSend?(): void;
  /** Once, after the outcomes of all requests. */
  onClosed(reason: CloseReason): void;
}

/** What happened that a log or a metric may want to know; none of it ends a session. */
export interface SessionCounts {
  /** PDUs that could not be read. */
  malformed: number;
  /** Responses to nothing that we asked. */
  unexpected_responses: number;
  late_responses: number;
  /** Requests refused because of the state. */
  out_of_state: number;
}
