import type { EventKind, StoredEvent } from './text_record.ts';

const ANSWERS: readonly EventKind[] = ['submitted', 'refused', 'throttled', 'in_doubt'];

/**
 * Events in the order in which they came about. That is the one in which they were stored, but for answers of carriers that one
 * batch brought: these have the gateway's own time. A receipt's is its carrier's, whose clock may be wrong.
 */
export function inTheirOrder(stored: readonly StoredEvent[]): StoredEvent[] {
  const ordered: StoredEvent[] = [];
  let answers: StoredEvent[] = [];
  for (const event of stored) {
    if (ANSWERS.includes(event.kind)) answers.push(event);
    else {
      ordered.push(...byTime(answers), event);
      answers = [];
    }
  }
  return [...ordered, ...byTime(answers)];
}

function byTime(answers: StoredEvent[]): StoredEvent[] {
  return answers.sort((a, b) => a.at.getTime() - b.at.getTime());
}
