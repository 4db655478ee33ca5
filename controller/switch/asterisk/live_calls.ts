import { SPEAK_CONTEXT, WAITING_APPLICATION } from '../../../dialplan/asterisk/contract.ts';
import type { HelpCall, LiveCall } from '../switch.ts';
import type { AmiMessage } from './ami_message.ts';
import { deviceOf, NO_ATTEMPT, parseAccountCode } from './plan.ts';

/** What this process has heard of a call that the list of channels does not tell. */
export interface Heard {
  b_channel_id: string | null;
  answered_at_ms: number | null;
}

/** AMI names of channel states: a leg that is up has answered. */
const UP = '6';

/** A whisper, or the half of a mailbox that runs in the dialplan: neither is a leg. */
function isAside(channel: AmiMessage): boolean {
  const name = channel.get('Channel') ?? '';
  return name.startsWith('Snoop/') || (name.startsWith('Local/') && name.endsWith(';2'));
}

/** A call of the switch's own is one channel, which is both of its legs once it was answered. */
function speaks(leg: AmiMessage): boolean {
  return leg.get('Context') === SPEAK_CONTEXT && leg.get('ChannelState') === UP;
}

/**
 * Calls out of one list of all channels: an A-leg is its own linked id, a B-leg carries the A-leg's. A B-leg whose A-leg is
 * not in the list is told as a call of its own without a call id, so that reconciliation ends it. A B-leg that talks goes by
 * its channel's name: the switch finds a name in a hash, and an id only by looking at every channel, one lock after another.
 */
export function liveCalls(
  channels: readonly AmiMessage[],
  heard: (channel_id: string) => Heard | undefined,
): LiveCall[] {
  // A caller's line breaks can cut an entry off before its id; the call has its entry again once it is sent on.
  const legs = channels.filter((channel) => channel.has('Uniqueid') && !isAside(channel));
  const present = new Set(legs.map((leg) => leg.get('Uniqueid')));
  const isA = (leg: AmiMessage): boolean =>
    leg.get('Uniqueid') === leg.get('Linkedid') || !present.has(leg.get('Linkedid'));
  const upB = new Map(
    legs
      .filter((leg) => !isA(leg) && leg.get('ChannelState') === UP)
      .map((leg) => [leg.get('Linkedid'), leg.get('Channel')]),
  );
  return legs.filter(isA).map((leg) => {
    const channel_id = leg.get('Uniqueid') ?? '';
    const orphan = channel_id !== leg.get('Linkedid');
    const plan = orphan ? null : parseAccountCode(leg.get('AccountCode') ?? '');
    return {
      channel_id,
      call_id: plan?.call_id ?? null,
      attempt: plan === null || plan.attempt === NO_ATTEMPT ? null : plan.attempt,
      b_channel_id: upB.get(channel_id) ?? (speaks(leg) ? (leg.get('Channel') ?? null) : null),
      answered_at_ms: heard(channel_id)?.answered_at_ms ?? null,
      waiting: leg.get('Application') === WAITING_APPLICATION && leg.get('Context') !== SPEAK_CONTEXT,
      help: helpOf(leg, plan?.help_code ?? null),
    };
  });
}

/** The id of a channel holds the second at which it came: `1700000000.12`, behind the name of the switch where it has one. */
function helpOf(leg: AmiMessage, code: string | null): HelpCall | null {
  const device = deviceOf(leg.get('Channel') ?? '');
  const arrived_s = /(\d+)\.\d+$/u.exec(leg.get('Uniqueid') ?? '')?.[1];
  if (code === null || device === null || arrived_s === undefined) return null;
  return { code, device, arrived_at_ms: Number(arrived_s) * 1000 };
}

/** True when the call has been answered, whether or not we heard when. */
export function isAnswered(call: LiveCall): boolean {
  return call.b_channel_id !== null;
}
