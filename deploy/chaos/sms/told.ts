import type { StoredText } from './verdict.ts';

/** What a customer who binds has to hear of: his texts that have ended, and those that came to his number. */
export interface Told {
  smpp_accepted: number;
  /** Texts of his that have ended, and of which no receipt came. */
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

export function judgeTold({ accepted, stored, told, arrivals, heard }: Heard): {
  verdict: Told;
  faults: readonly string[];
  passed: boolean;
} {
  const ended = accepted.filter(({ message_id }) => ENDED.has(stored.get(message_id)?.state ?? ''));
  const untold = ended.filter(({ message_id }) => !told.has(message_id));
  const unheard = arrivals.filter((text) => !heard.has(text));
  return {
    verdict: {
      ...{ smpp_accepted: accepted.length, receipts_untold: untold.length, arrivals_untold: unheard.length },
    },
    faults: [
      ...untold.map(({ message_id }) => `UNTOLD: ${message_id} has ended, and who sent it over SMPP has no receipt.`),
      ...unheard.map(
        (text) => `UNTOLD: a text that came in for who binds was acknowledged and never given to him: ${text}`,
      ),
    ],
    // A run in which nothing ended, or nothing came, shows nothing.
    passed: ended.length > 0 && arrivals.length > 0 && untold.length + unheard.length === 0,
  };
}
