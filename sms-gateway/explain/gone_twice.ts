import type { StoredEvent } from './text_record.ts';
import type { GoneTwice } from './text_story.ts';

/** The parts that a recipient may have got more than once: taken twice, or taken while it was not known of another try. */
export function goneTwice(events: readonly StoredEvent[], segments: number): GoneTwice[] {
  const found: GoneTwice[] = [];
  for (let part_no = 1; part_no <= segments; part_no += 1) {
    const taken = events.filter((event) => event.kind === 'submitted' && event.part_no === part_no).length;
    const doubts = openDoubts(events, part_no).length;
    if (taken >= 2) found.push({ part_no, is_certain: true });
    else if (taken + doubts >= 2) found.push({ part_no, is_certain: false });
  }
  return found;
}

/** Tries of a part of which it is still not known whether a carrier took it. */
export function openDoubts(events: readonly StoredEvent[], part_no: number): StoredEvent[] {
  return events.filter(
    (doubt) =>
      doubt.kind === 'in_doubt' &&
      (doubt.part_no === part_no || doubt.part_no === 0) &&
      !events.some((answer) => answer.part_no === part_no && settles(answer, doubt)),
  );
}

/** An answer that came late settles the doubt of its own try. When a gateway ended, only a part that was taken is none. */
function settles(answer: StoredEvent, doubt: StoredEvent): boolean {
  if (answer.attempt !== doubt.attempt) return false;
  if (doubt.part_no === 0) return answer.kind === 'submitted';
  const answered = answer.kind === 'submitted' || answer.kind === 'refused' || answer.kind === 'throttled';
  return answered && answer.bind_id === doubt.bind_id && answer.at.getTime() >= doubt.at.getTime();
}
