import type { StoredText } from './verdict.ts';

/**
 * What a customer who binds has to hear of: how each of his texts ended, and those that came to his number. No carrier has a receipt left
 * when this is asked, so a text that has not ended is one whose receipt went astray; save where it waits for a person.
 */
export interface Told {
  smpp_accepted: number;
  /** Texts of his that should have ended, and of which no receipt came. */
  receipts_untold: number;
  /** Texts to him that a carrier saw acknowledged, and that he never got. */
  arrivals_untold: number;
}

export interface Heard {
  accepted: readonly { message_id: string }[];
  stored: ReadonlyMap<string, Pick<StoredText, 'state'>>;
  /** Of which he got a receipt. */
  told: ReadonlySet<string>;
  /** What was written to him and acknowledged; no two say the same. */
  arrivals: readonly string[];
  heard: ReadonlySet<string>;
}

const ENDED = new Set(['delivered', 'undeliverable', 'expired', 'rejected', 'unknown']);
const WAITS_FOR_A_PERSON = new Set(['in_doubt', 'held']);

export function judgeTold({ accepted, stored, told, arrivals, heard }: Heard): {
  verdict: Told;
  faults: readonly string[];
  passed: boolean;
} {
  const stateOf = (message_id: string): string => stored.get(message_id)?.state ?? 'not stored';
  const due = accepted.filter(({ message_id }) => !WAITS_FOR_A_PERSON.has(stateOf(message_id)));
  const untold = due.filter(({ message_id }) => !told.has(message_id) || !ENDED.has(stateOf(message_id)));
  const unheard = arrivals.filter((text) => !heard.has(text));
  return {
    verdict: {
      ...{ smpp_accepted: accepted.length, receipts_untold: untold.length, arrivals_untold: unheard.length },
    },
    faults: [
      ...untold.map(({ message_id }) => {
        const was_told = told.has(message_id) ? 'though he has a receipt' : 'and who sent it over SMPP has no receipt';
        return `UNTOLD: ${message_id} is ${stateOf(message_id)}, ${was_told}.`;
      }),
      ...unheard.map(
        (text) => `UNTOLD: a text that came in for who binds was acknowledged and never given to him: ${text}`,
      ),
    ],
    // A run in which nothing was due, or nothing came, shows nothing.
    passed: due.length > 0 && arrivals.length > 0 && untold.length + unheard.length === 0,
  };
}
