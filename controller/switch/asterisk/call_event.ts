import { GIVEN, SPOKEN } from '../../../dialplan/asterisk/contract.ts';
import type { CallSource } from '../switch.ts';
import type { AmiMessage } from './ami_message.ts';
import { parseFailure, parseUnspoken } from './failure.ts';
import type { FailedAttempt } from './failure.ts';

/** Events that say what becomes of a call in the fast lane; the others are not even made (`disabledevents`). */
export const CALL_EVENTS = ['UserEvent', 'DialState', 'DialEnd', 'Hangup'] as const;

export type CallEvent = { channel_id: string; at_ms: number } & (
  | { type: 'given'; name: string; source: CallSource; dialled: string; claimed_caller: string | null }
  | ({ type: 'given_back'; name: string } & FailedAttempt)
  /** A B-leg rings or sends early media. */
  | { type: 'audible' }
  | { type: 'answered'; name: string; b_channel_id: string }
  /** A call of the switch's own was not answered; its channel is about to go. */
  | ({ type: 'unspoken'; name: string } & FailedAttempt)
  | { type: 'gone'; cause: number }
);

const AUDIBLE: ReadonlySet<string | undefined> = new Set(['RINGING', 'PROGRESS']);
/** How Asterisk writes a number that is not there, and how callers write that they withhold theirs. */
const NO_NUMBER: ReadonlySet<string> = new Set(['', '<unknown>', 'anonymous']);

function parseSource(text: string | undefined): CallSource | null {
  const [kind, name] = (text ?? '').split(':', 2);
  if (name === undefined || name === '') return null;
  if (kind === 'device') return { kind, device: name };
  return kind === 'trunk' ? { kind, trunk: name } : null;
}

/** `Timestamp` is there with `timestampevents=yes`: seconds of the switch's wall clock, with microseconds. */
function parseTime(message: AmiMessage): number | null {
  const seconds = Number(message.get('Timestamp'));
  return seconds > 0 ? Math.round(seconds * 1000) : null;
}

type Place = { channel_id: string; name: string; at_ms: number };

function parseUserEvent(message: AmiMessage, place: Place): CallEvent | null {
  const event = message.get('UserEvent');
  if (event === GIVEN.failed) {
    const failed = parseFailure(message.get('Failure') ?? '');
    return failed && { type: 'given_back', ...place, ...failed };
  }
  if (event === SPOKEN.speaks) return { type: 'answered', ...place, b_channel_id: place.name };
  if (event === SPOKEN.unspoken) {
    const failed = parseUnspoken(message.get('Failure') ?? '');
    return failed && { type: 'unspoken', ...place, ...failed };
  }
  const source = parseSource(message.get('Source'));
  if (event !== GIVEN.arrived || source === null) return null;
  const number = message.get('CallerIDNum') ?? '';
  const claimed_caller = NO_NUMBER.has(number.toLowerCase()) ? null : number;
  const dialled = message.get('Exten') ?? '';
  return { type: 'given', ...place, source, dialled, claimed_caller };
}

/** Where the switch calls by itself there is no channel that dials: the one that is dialled is the call. */
function parseOwnDial(message: AmiMessage, at_ms: number | null): CallEvent | null {
  const channel_id = message.get('DestUniqueid');
  if (channel_id === undefined || at_ms === null || message.get('Event') !== 'DialState') return null;
  return AUDIBLE.has(message.get('DialStatus')) ? { type: 'audible', channel_id, at_ms } : null;
}

/**
 * Null for an event that changes nothing for a call: another dial state, the end of a B-leg, an attempt that was not answered. An
 * error for one without its time, by which nothing could be charged.
 */
export function parseCallEvent(message: AmiMessage): CallEvent | Error | null {
  const [channel_id, name, at_ms] = [message.get('Uniqueid'), message.get('Channel'), parseTime(message)];
  if (channel_id === undefined || name === undefined) return parseOwnDial(message, at_ms);
  if (at_ms === null)
    return new Error('The switch tells events without their time: is timestampevents set in its manager.conf?');
  switch (message.get('Event')) {
    case 'UserEvent':
      return parseUserEvent(message, { channel_id, name, at_ms });
    case 'DialState':
      return AUDIBLE.has(message.get('DialStatus')) ? { type: 'audible', channel_id, at_ms } : null;
    case 'DialEnd': {
      const b_channel_id = message.get('DestChannel');
      if (message.get('DialStatus') !== 'ANSWER' || b_channel_id === undefined) return null;
      return { type: 'answered', channel_id, name, b_channel_id, at_ms };
    }
    case 'Hangup':
      // A B-leg carries the id of its A-leg.
      if (message.get('Linkedid') !== channel_id) return null;
      return { type: 'gone', channel_id, cause: Number(message.get('Cause') ?? '0'), at_ms };
    default:
      return null;
  }
}
