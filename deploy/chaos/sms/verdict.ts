import type { AcceptedText } from './writers.ts';

export interface SmsChaosVerdict {
  kills: number;
  accepted: number;
  /** Accepted, and neither with a carrier nor ended nor held for a person. */
  lost: number;
  /** Receipts that we acknowledged and do not have. */
  receipts_lost: number;
  /** Parts that a carrier took more than once, of texts that say so themselves. */
  duplicates_flagged: number;
  duplicates_unflagged: number;
  /** Parts that went twice although doubt meant hold. */
  held_sent_twice: number;
  /** Texts that wait for a person: it is not known whether a carrier took them, or they looked like fraud. */
  held: number;
  ledger_balanced: boolean;
}

/** A part that a carrier took, by the carrier's own log. */
export interface TakenPart {
  tag: string;
  part: number;
}

/** How the database has a text. */
export interface StoredText {
  message_id: string;
  state: string;
  is_flagged: boolean;
  charged_micros: bigint;
}

export interface SmsEvidence {
  kills: number;
  accepted: readonly AcceptedText[];
  /** Of all carriers. */
  taken: readonly TakenPart[];
  stored: ReadonlyMap<string, StoredText>;
  /** Receipts that the carriers saw acknowledged, and those of them that are stored or parked. */
  receipts_acknowledged: number;
  receipts_stored: number;
  broken_invariants: readonly string[];
}

/** Texts that have gone to a carrier, or have ended, or are in a person's hands. */
const ACCOUNTED = new Set([
  'submitted',
  'delivered',
  'undeliverable',
  'expired',
  'rejected',
  'unknown',
  'in_doubt',
  'held',
]);

export function judge(evidence: SmsEvidence): { verdict: SmsChaosVerdict; faults: readonly string[] } {
  const faults: string[] = [...evidence.broken_invariants];
  const parts = new Map<string, number>();
  for (const { tag, part } of evidence.taken) parts.set(`${tag} ${part}`, (parts.get(`${tag} ${part}`) ?? 0) + 1);
  const count = { lost: 0, flagged: 0, unflagged: 0, held_sent_twice: 0, held: 0 };
  for (const text of evidence.accepted) {
    const stored = evidence.stored.get(text.message_id);
    const times = Array.from({ length: text.segments }, (_, n) => parts.get(`${text.tag} ${n + 1}`) ?? 0);
    if (stored?.charged_micros !== text.charged_micros)
      faults.push(`${text.message_id} was not charged as it was told.`);
    if (stored?.state === 'in_doubt' || stored?.state === 'held') count.held += 1;
    if (stored === undefined || !ACCOUNTED.has(stored.state)) {
      count.lost += 1;
      faults.push(`LOST: ${text.message_id} is ${stored?.state ?? 'not stored'}.`);
    } else if (isWithCarrier(stored.state) && times.includes(0)) {
      count.lost += 1;
      faults.push(`LOST: ${text.message_id} is ${stored.state}, and no carrier has all of it (${times.join(', ')}).`);
    }
    const twice = times.filter((one) => one > 1).length;
    if (twice === 0) continue;
    if (text.on_doubt === 'hold') {
      count.held_sent_twice += twice;
      faults.push(`TWICE: ${text.message_id} was to be held in doubt and went twice.`);
    }
    if (stored?.is_flagged === true) count.flagged += twice;
    else {
      count.unflagged += twice;
      faults.push(`UNFLAGGED: ${text.message_id} went twice and does not say so.`);
    }
  }
  const { kills, receipts_acknowledged, receipts_stored } = evidence;
  return {
    faults,
    verdict: {
      ...{ kills, accepted: evidence.accepted.length, lost: count.lost },
      receipts_lost: receipts_acknowledged - receipts_stored,
      ...{ duplicates_flagged: count.flagged, duplicates_unflagged: count.unflagged },
      ...{ held_sent_twice: count.held_sent_twice, held: count.held },
      ledger_balanced: evidence.broken_invariants.length === 0,
    },
  };
}

function isWithCarrier(state: string): boolean {
  return state === 'submitted' || state === 'delivered' || state === 'undeliverable';
}

export function passed({ verdict, faults }: { verdict: SmsChaosVerdict; faults: readonly string[] }): boolean {
  return (
    faults.length === 0 &&
    verdict.accepted > 0 &&
    verdict.lost === 0 &&
    verdict.receipts_lost === 0 &&
    verdict.duplicates_unflagged === 0 &&
    verdict.held_sent_twice === 0 &&
    verdict.ledger_balanced
  );
}
