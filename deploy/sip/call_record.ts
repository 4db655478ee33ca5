import type { Heard } from './hearing.ts';
import type { Reason } from './header_value.ts';
import { parseNameAddress, parseUri } from './header_value.ts';
import { headerList, headerOf, mandatoryHeader } from './message.ts';
import type { SipRequest } from './message.ts';
import type { RtpCounts } from './rtp.ts';

export interface Ending {
  /** `nobody`: a timer of this party ran out, or an ACK never came. */
  by: 'local' | 'remote' | 'nobody';
  /** The final status when the call was never answered. */
  status: number | undefined;
  /** From the Reason header of the BYE, CANCEL or refusal; Q.850 where given. */
  reason: Reason | undefined;
  at_ms: number;
}

/** Who the caller claimed to be, as it arrived. */
export interface Identities {
  from_user: string;
  from_display: string;
  p_asserted_identity: string[];
  p_preferred_identity: string[];
  privacy: string | undefined;
  remote_party_id: string | undefined;
}

/** What one party saw of one call. All times are its own monotonic clock. */
export interface CallRecord {
  direction: 'outgoing' | 'incoming';
  call_id: string;
  /** The user part of the Request-URI. */
  number: string;
  identities: Identities;
  invite_at_ms: number;
  /** All status codes of the INVITE in their order, 401 and 407 included. */
  statuses: number[];
  ringing_at_ms: number | undefined;
  early_media_at_ms: number | undefined;
  /** The first 200 for the INVITE, sent or received. */
  answered_at_ms: number | undefined;
  /** The first ACK of it, received or sent. */
  acked_at_ms: number | undefined;
  cancelled_at_ms: number | undefined;
  bye_received_at_ms: number | undefined;
  ended: Ending | undefined;
  /** From the 200 to the BYE, the first that was sent or received; undefined when it was not answered. */
  talked_ms: number | undefined;
  reinvites_received: number;
  /** BYEs for early or confirmed forks that lost. */
  forks_released: number;
  /** 200s of losing forks whose ACK never came. */
  forks_never_acked: number;
  rtp: (RtpCounts & Heard) | undefined;
}

export function newRecord(direction: CallRecord['direction'], invite: SipRequest, invite_at_ms: number): CallRecord {
  return {
    direction,
    call_id: mandatoryHeader(invite, 'call-id'),
    number: parseUri(invite.uri)?.user ?? '',
    identities: identitiesOf(invite),
    invite_at_ms,
    statuses: [],
    ringing_at_ms: undefined,
    early_media_at_ms: undefined,
    answered_at_ms: undefined,
    acked_at_ms: undefined,
    cancelled_at_ms: undefined,
    bye_received_at_ms: undefined,
    ended: undefined,
    talked_ms: undefined,
    reinvites_received: 0,
    forks_released: 0,
    forks_never_acked: 0,
    rtp: undefined,
  };
}

function identitiesOf(invite: SipRequest): Identities {
  const from = parseNameAddress(mandatoryHeader(invite, 'from'));
  return {
    from_user: parseUri(from?.uri ?? '')?.user ?? '',
    from_display: from?.display_name ?? '',
    p_asserted_identity: headerList(invite, 'p-asserted-identity'),
    p_preferred_identity: headerList(invite, 'p-preferred-identity'),
    privacy: headerOf(invite, 'privacy'),
    remote_party_id: headerOf(invite, 'remote-party-id'),
  };
}
