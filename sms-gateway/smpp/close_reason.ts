import { statusName } from './status.ts';

/** Why a session ended. */
export type CloseReason =
  /** We unbound, or ended it before it was bound. */
  | { kind: 'closed_by_us' }
  | { kind: 'unbound_by_peer' }
  /** The peer closed the connection without an unbind. */
  | { kind: 'closed_by_peer' }
  /** The connection failed: refused, reset, unreachable, or TLS did not agree. */
  | { kind: 'connection_failed'; why: string }
  | { kind: 'bind_refused'; command_status: number }
  /** Connected, and not bound in time. */
  | { kind: 'bind_timeout' }
  | { kind: 'enquire_link_unanswered' }
  /** Nothing came for as long as the inactivity timer allows. */
  | { kind: 'inactive' }
  /** The peer does not read what we send. */
  | { kind: 'peer_not_reading' }
  /** What the peer sends is not SMPP. */
  | { kind: 'unframeable'; why: string };

/** For logs and for people: what happened. */
export function describeClose(reason: CloseReason): string {
  switch (reason.kind) {
    case 'closed_by_us':
      return 'closed by us';
    case 'unbound_by_peer':
      return 'the peer unbound';
    case 'closed_by_peer':
      return 'the peer closed the connection without an unbind';
    case 'connection_failed':
      return `the connection failed: ${reason.why}`;
    case 'bind_refused':
      return `the bind was refused with ${statusName(reason.command_status)}`;
    case 'bind_timeout':
      return 'it was not bound in time';
    case 'enquire_link_unanswered':
      return 'an enquire_link was not answered';
    case 'inactive':
      return 'nothing came for too long';
    case 'peer_not_reading':
      return 'the peer does not read what it is sent';
    case 'unframeable':
      return `the peer does not speak SMPP: ${reason.why}`;
  }
}
