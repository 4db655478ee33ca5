import type { Times } from '../../domain/telling/times.ts';
import type { StoredDelivery } from './text_record.ts';
import type { TextStory } from './text_story.ts';

/** What the customer was told of it, and what is still to be told. Whoever has heard is no longer on the list. */
export function tellDeliveries(story: TextStory, times: Times): string[] {
  const { deliveries, direction, account_id } = story;
  if (deliveries.length > 0) return deliveries.map((delivery) => deliveryWords(delivery, times));
  if (direction === 'mo') {
    return account_id === null
      ? ['Nobody: nobody held the number.']
      : ['Whoever was to be told of texts to this number has been told, by webhook or SMPP; nobody is left.'];
  }
  return [receiptToldWords(story)];
}

function deliveryWords(
  { channel, target, due_at, attempts, last_error, dead_at }: StoredDelivery,
  times: Times,
): string {
  const whom = channel === 'webhook' ? `Webhook endpoint ${target}` : `ESME ${target}`;
  const failed = attempts === 0 ? '' : `, after ${attempts} attempt${attempts === 1 ? '' : 's'} in vain`;
  const error = last_error === null ? '' : `: ${last_error}`;
  if (dead_at !== null) {
    return `${whom} was not told, and nothing more is tried since ${times.day(dead_at)} at ${times.clock(dead_at)}${failed}${error}. It is kept, to be told when somebody asks for it.`;
  }
  return `${whom} waits to be told, next on ${times.day(due_at)} at ${times.clock(due_at)}${failed}${error}.`;
}

function receiptToldWords({ events, source, system_id, wants_receipt }: TextStory): string {
  if (source === 'system') return 'Nobody: Letsdial sent it by itself.';
  if (source === 'smpp' && !wants_receipt) return 'Nothing: its sender asked for no receipt.';
  if (!events.some(({ kind }) => kind === 'final')) return 'Nothing yet: a receipt follows when it has ended.';
  return source === 'smpp'
    ? `ESME ${system_id ?? 'of its sender'} was told how it ended.`
    : 'Whichever webhook endpoint was to hear how it ended has been told; none is left.';
}
