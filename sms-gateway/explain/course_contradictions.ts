import type { StoredEvent } from './text_record.ts';
import type { TextStory } from './text_story.ts';

/** What of a text's way does not follow from the rest, in words: how it was sent, and how it ended. */
export function courseContradictions(story: TextStory): string[] {
  if (story.direction === 'mo') {
    return story.events.length === 0 && story.place === null
      ? []
      : ['A text that came in goes nowhere, and this one was on its way.'];
  }
  return [...partContradictions(story), ...restContradictions(story), ...endContradictions(story)];
}

function partContradictions({ events, segments }: TextStory): string[] {
  const found: string[] = [];
  const outside = new Set(events.map(({ part_no }) => part_no).filter((part_no) => part_no > segments));
  for (const part_no of outside) found.push(`It has ${segments} segments, and something happened to part ${part_no}.`);
  const taken = events.filter(({ kind }) => kind === 'submitted');
  for (let part_no = 1; part_no <= segments; part_no += 1) {
    const of_part = taken.filter((event) => event.part_no === part_no);
    const attempts = new Set(of_part.map(({ attempt }) => attempt));
    if (attempts.size < of_part.length) found.push(`Part ${part_no} was taken twice in one attempt.`);
    if (attempts.size > 1 && !events.some((event) => isDoubt(event, part_no))) {
      found.push(`Part ${part_no} was sent again after it had been taken, and there was no doubt.`);
    }
    const has_receipt = events.some((event) => event.kind === 'receipt' && event.part_no === part_no);
    if (has_receipt && of_part.length === 0) found.push(`Part ${part_no} has a receipt, and no carrier took it.`);
  }
  return found;
}

function isDoubt({ kind, part_no }: StoredEvent, of_part: number): boolean {
  return (kind === 'in_doubt' || kind === 'resent') && (part_no === of_part || part_no === 0);
}

/** A text waits, has ended, or is in the hands of carriers as a whole. */
function restContradictions(story: TextStory): string[] {
  const { place } = story;
  const ended = finalOf(story) !== undefined;
  if (place !== null) return ended ? ['It has ended, and still waits.'] : [];
  if (ended) return [];
  const missing = partsOf(story).filter(
    (part_no) => !story.events.some((event) => event.kind === 'submitted' && event.part_no === part_no),
  );
  return missing.length === 0 ? [] : [`Nobody is to send part ${missing.join(', ')}, which no carrier took.`];
}

function endContradictions(story: TextStory): string[] {
  const final = finalOf(story);
  const by_receipts = conclusionOf(story);
  if (final === undefined) {
    return by_receipts === null ? [] : ['Each part has its last receipt, and the text has not ended.'];
  }
  if (final.state === by_receipts) return [];
  const why = whyNotEnded(story, final);
  return why === null ? [] : [why];
}

/** A text may end without receipts: where no carrier took it, in time or ever, and by a person. Null where it may end so. */
function whyNotEnded({ events, valid_until }: TextStory, { state, at, error }: StoredEvent): string | null {
  switch (state) {
    case 'expired':
      return valid_until !== null && at.getTime() >= valid_until.getTime()
        ? null
        : 'It expired before its time was over, and no receipt says so.';
    case 'rejected': {
      const somebody = events.some(({ kind }) => kind === 'refused' || kind === 'throttled' || kind === 'released');
      return somebody || error !== null ? null : 'It was rejected, and nobody refused it.';
    }
    case 'cancelled':
      return null;
    default:
      return `It ended as ${state ?? 'nothing'}, and the receipts of its parts do not say so.`;
  }
}

/** How the receipts end it: delivered is what was delivered in whole. Null until each part has one that is its last word. */
function conclusionOf(story: TextStory): StoredEvent['state'] {
  const last_words = partsOf(story).map((part_no) => lastWordOn(part_no, story));
  if (last_words.includes(null)) return null;
  return last_words.find((state) => state !== 'delivered') ?? 'delivered';
}

/** That an attempt failed is none while a carrier has the part from another one, of which no receipt says so. */
function lastWordOn(part_no: number, { events }: TextStory): StoredEvent['state'] {
  const of_part = events.filter((event) => event.part_no === part_no);
  const words = of_part.filter(({ kind, state }) => kind === 'receipt' && state !== 'enroute' && state !== 'accepted');
  const may_arrive = of_part.some(
    ({ kind, attempt }) =>
      kind === 'submitted' && !words.some((word) => word.attempt === attempt && word.state !== 'delivered'),
  );
  return words.find(({ state }) => state === 'delivered' || !may_arrive)?.state ?? null;
}

function finalOf({ events }: TextStory): StoredEvent | undefined {
  return events.find(({ kind }) => kind === 'final');
}

function partsOf({ segments }: TextStory): number[] {
  return Array.from({ length: segments }, (_, n) => n + 1);
}
