import { STASIS_REASON } from '../../../dialplan/asterisk/contract.ts';
import type { CallSource, SwitchEvent } from '../switch.ts';
import type { AriEvent } from './ari_event.ts';
import { parseFailure } from './failure.ts';
import type { Heard } from './live_calls.ts';

/** What was heard of each A-leg that is up: nothing else in the switch's events tells an A-leg from a B-leg. */
export type HeardCalls = Map<string, HeardCall>;

export interface HeardCall extends Heard {
  /** The name of the A-leg's channel, by which the switch finds it soonest. */
  name: string;
  ringing: boolean;
}

export function unanswered(name: string): HeardCall {
  return { name, ringing: false, b_channel_id: null, answered_at_ms: null };
}

function parseSource(text: string | undefined): CallSource | null {
  const [kind, name] = (text ?? '').split(':', 2);
  if (name === undefined || name === '') return null;
  if (kind === 'device') return { kind, device: name };
  return kind === 'trunk' ? { kind, trunk: name } : null;
}

function started(event: Extract<AriEvent, { type: 'StasisStart' }>, heard: HeardCalls): SwitchEvent | null {
  const { channel, args, timestamp } = event;
  const [reason, ...rest] = args;
  if (reason === STASIS_REASON.failed) {
    const failed = parseFailure(rest);
    heard.set(channel.id, unanswered(channel.name));
    return failed && { type: 'attempt_failed', channel_id: channel.id, ...failed, at_ms: timestamp };
  }
  const source = parseSource(rest[0]);
  if (reason !== STASIS_REASON.arrived || source === null) return null;
  heard.set(channel.id, unanswered(channel.name));
  const number = channel.caller.number;
  const claimed_caller = number === '' || number === 'anonymous' ? null : number;
  const arrival = {
    channel_id: channel.id,
    source,
    dialled: channel.dialplan.exten,
    claimed_caller,
    arrived_at_ms: timestamp,
  };
  return { type: 'arrived', arrival };
}

function dialled(event: Extract<AriEvent, { type: 'Dial' }>, heard: HeardCalls): SwitchEvent | null {
  const { caller, peer, timestamp: at_ms } = event;
  if (caller === undefined) return null;
  const call = heard.get(caller.id);
  if (event.dialstatus === 'ANSWER') {
    heard.set(caller.id, { name: caller.name, ringing: true, b_channel_id: peer.name, answered_at_ms: at_ms });
    return { type: 'answered', channel_id: caller.id, b_channel_id: peer.name, at_ms };
  }
  const audible = event.dialstatus === 'RINGING' || event.dialstatus === 'PROGRESS';
  if (!audible || call === undefined || call.ringing) return null;
  call.ringing = true;
  return { type: 'ringing', channel_id: caller.id, at_ms };
}

/** The switch's event as the port tells it; null when it is about a channel or a step that concerns nobody. Keeps `heard`. */
export function translate(event: AriEvent, heard: HeardCalls): SwitchEvent | null {
  switch (event.type) {
    case 'StasisStart':
      return started(event, heard);
    case 'Dial':
      return dialled(event, heard);
    case 'ChannelDestroyed':
      if (!heard.delete(event.channel.id)) return null;
      return { type: 'ended', channel_id: event.channel.id, cause: event.cause, at_ms: event.timestamp };
  }
}
