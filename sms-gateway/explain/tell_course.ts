import { moneyWords } from '../../domain/money/money_words.ts';
import type { Times } from '../../domain/telling/times.ts';
import type { StoredEvent } from './text_record.ts';
import type { TextStory } from './text_story.ts';
import { doubtWords, endingWords, laterWords, receiptWords, sourceWords, statusWords } from './text_words.ts';

const LATER_WIDTH = 12;

/** What happened to a text that goes out, in the order in which it became known. */
export function tellCourse(story: TextStory, times: Times): string[] {
  const line = (at: Date, words: string): string => {
    const later = laterWords(at.getTime() - story.accepted_at.getTime());
    return `${times.clock(at)}  ${`+${later}`.replace('+-', '-').padStart(LATER_WIDTH)}  ${words}`;
  };
  return [
    line(story.accepted_at, acceptedWords(story, times)),
    ...story.events.map((event, place) => line(event.at, eventWords(event, story, story.events[place + 1], times))),
    ...placeLines(story, times),
    ...twiceLines(story),
  ];
}

function acceptedWords(story: TextStory, times: Times): string {
  const due = story.events.some(({ kind }) => kind === 'replaced') ? '' : dueWords(story, times);
  return `Accepted ${sourceWords(story)}${due}.`;
}

/** Of a text that was replaced, the time is that of the last replacement. */
function dueWords({ due_at, accepted_at }: TextStory, times: Times): string {
  return due_at !== null && due_at.getTime() > accepted_at.getTime()
    ? `, to be sent on ${times.day(due_at)} at ${times.clock(due_at)}`
    : '';
}

function replacedWords(event: StoredEvent, story: TextStory, times: Times): string {
  const is_last = event === story.events.findLast(({ kind }) => kind === 'replaced');
  return `Replaced by its sender: ${event.detail ?? 'another text'}${is_last ? dueWords(story, times) : ''}.`;
}

function eventWords(event: StoredEvent, story: TextStory, next: StoredEvent | undefined, times: Times): string {
  const { detail, carrier, bind_id } = event;
  const who = carrier ?? 'a carrier';
  const over = bind_id === null ? '' : ` over ${bind_id}`;
  switch (event.kind) {
    case 'submitted':
      return `${tryWords(event, story)}${who} takes it${over}${idWords(event)} (${statusWords(event.status)}).`;
    case 'refused':
      return `${tryWords(event, story)}${who} refuses it${over}: ${statusWords(event.status)}.`;
    case 'throttled':
      return `${tryWords(event, story)}${who} asks for patience${over}: ${statusWords(event.status)}. The bind slows down, and the text looks for another way.`;
    case 'in_doubt':
      return inDoubtWords(event, story);
    case 'resent':
      return `Sent once more by decision, though it may arrive twice (${detail ?? 'no reason was given'}).`;
    case 'replaced':
      return replacedWords(event, story, times);
    case 'held':
      return `Held until a person has looked at it: ${detail ?? 'no reason was given'}.`;
    case 'released':
      return next?.kind === 'final'
        ? `Refused by decision (${detail ?? 'no reason was given'}).`
        : `Let go by decision (${detail ?? 'no reason was given'}).`;
    case 'receipt':
      return receiptLine(event, story);
    case 'final':
      return endWords(event);
    case 'refunded':
      return refundWords(story);
  }
}

/** `Part 2 of 3, attempt 1: `; a text of one part has only attempts. */
function tryWords({ part_no, attempt }: StoredEvent, { segments }: TextStory): string {
  return segments === 1 ? `Attempt ${attempt}: ` : `Part ${part_no} of ${segments}, attempt ${attempt}: `;
}

function idWords({ carrier_message_id }: StoredEvent): string {
  return carrier_message_id === null || carrier_message_id === ''
    ? ' and gives it no id, so that no receipt of it can be found'
    : ` as ${carrier_message_id}`;
}

function inDoubtWords(event: StoredEvent, story: TextStory): string {
  const then =
    story.on_doubt === 'hold'
      ? 'It must not go twice, so a person decides.'
      : 'It is sent again where it can be, and may arrive twice.';
  if (event.carrier === null) return `In doubt: ${event.detail ?? 'nobody knows whether it was sent'}. ${then}`;
  const over = event.bind_id === null ? '' : ` over ${event.bind_id}`;
  return `${tryWords(event, story)}no answer of ${event.carrier}${over}: ${doubtWords(event.detail)}. It may have taken it or not. ${then}`;
}

/** A receipt has the time at which its carrier says that it happened. */
function receiptLine(event: StoredEvent, { events, segments }: TextStory): string {
  const { part_no, attempt, state, error, carrier, at } = event;
  const part = segments === 1 ? '' : ` of part ${part_no}`;
  const code = error === null ? '' : `, error ${error}`;
  const taken = events.find(
    (one) => one.kind === 'submitted' && one.part_no === part_no && one.attempt === attempt && one.carrier === carrier,
  );
  const later_ms = taken === undefined ? null : at.getTime() - taken.at.getTime();
  const later =
    later_ms === null
      ? ''
      : later_ms < 0
        ? ', which by its clock was before its answer'
        : `, ${laterWords(later_ms)} after it took it`;
  return `Receipt${part}: ${carrier ?? 'the carrier'} says ${receiptWords(state ?? 'unknown')}${code}${later}.`;
}

function endWords({ state, error }: StoredEvent): string {
  return `${endingWords(state ?? 'unknown')}${error === null ? '' : ` (${error})`}.`;
}

function refundWords({ refunded_micros, currency, segments, segments_refunded, refund }: TextStory): string {
  const of = segments_refunded === null ? '' : `, the price of ${segments_refunded} of ${segments} segments`;
  const by = refund === null ? '' : `, by transaction ${refund.tx_id} of the ledger`;
  return `Given back: ${moneyWords(refunded_micros, currency)}${of}${by}.`;
}

function placeLines({ place }: TextStory, times: Times): string[] {
  if (place === null) return [];
  const until = `until ${times.day(place.valid_until)} at ${times.clock(place.valid_until)}, when it expires and what was not sent is given back`;
  switch (place.state) {
    case 'waiting': {
      const lane = place.carrier === null ? 'for a carrier that takes it' : `in the lane of ${place.carrier}`;
      const looked =
        place.looked_at === null ? '' : ` Another way was last looked for at ${times.clock(place.looked_at)}.`;
      return [
        `Now: it waits ${lane}, to go not before ${times.day(place.due_at)} at ${times.clock(place.due_at)}, and ${until}.${looked}`,
      ];
    }
    case 'claimed':
      return [
        `Now: a gateway has it in its hands${place.carrier === null ? '' : `, for ${place.carrier}`}, attempt ${place.attempt}${place.sending ? ', and may have sent it' : ''}.`,
      ];
    case 'unscreened':
      return [
        `Now: it waits for a gateway to look at what it says and how fast such texts come, and is sent by none before; ${until}.`,
      ];
    case 'held':
      return [`Now: it is held for a person's decision, ${until}.`];
    case 'in_doubt':
      return [
        'Now: nobody knows whether a carrier has it, so it is held for a person, who has it sent again or given up.',
      ];
  }
}

function twiceLines({ gone_twice, segments }: TextStory): string[] {
  const lines = (is_certain: boolean, words: string): string[] => {
    const parts = gone_twice.filter((one) => one.is_certain === is_certain).map(({ part_no }) => part_no);
    if (parts.length === 0) return [];
    return [`${segments === 1 ? 'It' : `Part ${parts.join(', ')}`} ${words}`];
  };
  return [
    ...lines(true, 'was taken twice: the recipient may have got it twice.'),
    ...lines(false, 'may have gone twice: of one try it is still not known whether a carrier took it.'),
  ];
}
