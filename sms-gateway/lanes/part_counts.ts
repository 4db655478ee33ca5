import type { PartResult } from '../carriers/part_result.ts';

/**
 * What became of parts, in numbers that are counted up in place, since every part is counted. Each one that left this process is
 * submitted, and is one of the others too; one in doubt that is settled by a late answer is that as well.
 */
export interface PartCounts {
  submitted: number;
  accepted: number;
  refused: number;
  throttled: number;
  in_doubt: number;
}

const COUNTED_AS = {
  taken: 'accepted',
  refused: 'refused',
  throttled: 'throttled',
  unanswered: 'in_doubt',
} as const satisfies Readonly<Record<Exclude<PartResult['kind'], 'unsent'>, keyof PartCounts>>;

export function noParts(): PartCounts {
  return { submitted: 0, accepted: 0, refused: 0, throttled: 0, in_doubt: 0 };
}

/** Of a part that was to be sent. */
export function countPart(counts: PartCounts, { kind }: PartResult): void {
  if (kind === 'unsent') return;
  counts.submitted += 1;
  counts[COUNTED_AS[kind]] += 1;
}

/** Of a part that was counted as in doubt before. */
export function countLate(counts: PartCounts, { kind }: PartResult): void {
  if (kind !== 'unsent') counts[COUNTED_AS[kind]] += 1;
}
