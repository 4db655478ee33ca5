import type { SmsEvidence } from '../chaos/sms/verdict.ts';
import { judge, passed } from '../chaos/sms/verdict.ts';
import { trendOf } from './memory/trend.ts';
import type { TrendLimit } from './memory/trend.ts';
import type { Held } from './memory/gateway_memory.ts';

export interface SoakFindings {
  minutes: number;
  reconnects: number;
  evidence: SmsEvidence;
  /** Of the customer who is bound: texts that he sent, and receipts that he heard. */
  bound_accepted: readonly string[];
  told: ReadonlySet<string>;
  /** Texts that the gateway took from carriers, and those that their customer heard. */
  incoming: readonly string[];
  heard: ReadonlySet<string>;
  /** What went wrong on the way: refusals, things that were waited for in vain. */
  mishaps: readonly string[];
  held: readonly Held[];
}

export interface SoakVerdict {
  minutes: number;
  texts: number;
  incoming: number;
  reconnects: number;
  /** Texts that no carrier has or that have no receipt, receipts that we lost or did not tell, incoming texts that nobody heard. */
  lost: number;
  /** Parts that a carrier took more than once, as its answer was cut off, and that say so. */
  duplicates_flagged: number;
  rss_mb_first: number;
  rss_mb_last: number;
  rss_mb_slope_per_hour: number;
  heap_mb_first: number;
  heap_mb_last: number;
  heap_mb_slope_per_hour: number;
  fds_first: number;
  fds_last: number;
  ledger_balanced: boolean;
  /** Null where the run was too short to tell: in a few minutes garbage is collected too seldom to show what is kept. */
  is_flat: boolean | null;
}

export const FLAT_MINUTES_MIN = 10;

/** A connection is cut each second; whoever is cut when the load ends, or while a carrier is away, comes back no more or later. */
const RECONNECTS_PER_SECOND_MIN = 0.8;

/** In fifteen minutes a leak of 20 MB an hour is 4 MB, which is above what floors differ by chance. */
const MEMORY_LIMIT: TrendLimit = { per_hour: 10, rise: 2 };
/** One in fifty of the connections that are cut in an hour, at one a second. */
const FDS_LIMIT: TrendLimit = { per_hour: 72, rise: 4 };

export function judgeSoak(findings: SoakFindings): {
  verdict: SoakVerdict;
  faults: readonly string[];
  has_passed: boolean;
} {
  const { minutes, reconnects, evidence, incoming, held } = findings;
  const texts = judge(evidence);
  const missing = missingIn(findings);
  const [rss, heap, fds] = [
    trendOf(samplesOf(held, 'rss_mb'), MEMORY_LIMIT),
    trendOf(samplesOf(held, 'heap_mb'), MEMORY_LIMIT),
    trendOf(samplesOf(held, 'fds'), FDS_LIMIT),
  ];
  const is_long_enough = minutes >= FLAT_MINUTES_MIN;
  const growth = [
    ...(rss.is_flat ? [] : [`GROWS: the gateway takes ${rounded(rss.slope_per_hour)} MB more memory an hour.`]),
    ...(heap.is_flat ? [] : [`GROWS: the gateway keeps ${rounded(heap.slope_per_hour)} MB more objects an hour.`]),
    ...(fds.is_flat ? [] : [`GROWS: the gateway keeps ${rounded(fds.slope_per_hour)} more files open an hour.`]),
  ];
  const faults = [
    ...findings.mishaps,
    ...(is_long_enough ? growth : []),
    ...texts.faults,
    ...missing,
    ...tooFewReconnects(findings),
  ];
  return {
    faults,
    has_passed: passed(texts) && faults.length === 0,
    verdict: {
      ...{ minutes, texts: evidence.accepted.length, incoming: incoming.length, reconnects },
      lost: texts.verdict.lost + texts.verdict.receipts_lost + missing.length,
      duplicates_flagged: texts.verdict.duplicates_flagged,
      ...{ rss_mb_first: rounded(rss.first), rss_mb_last: rounded(rss.last) },
      rss_mb_slope_per_hour: rounded(rss.slope_per_hour),
      ...{ heap_mb_first: rounded(heap.first), heap_mb_last: rounded(heap.last) },
      heap_mb_slope_per_hour: rounded(heap.slope_per_hour),
      ...{ fds_first: fds.first, fds_last: fds.last },
      ledger_balanced: texts.verdict.ledger_balanced,
      is_flat: is_long_enough ? growth.length === 0 : null,
    },
  };
}

/** A run in which hardly anything was cut shows nothing of what cuts do. */
function tooFewReconnects({ minutes, reconnects }: SoakFindings): string[] {
  const least = Math.ceil(minutes * 60 * RECONNECTS_PER_SECOND_MIN);
  return reconnects < least ? [`TOO EASY: ${reconnects} connections were made anew, and not ${least}.`] : [];
}

/** The carriers are such that each text arrives, so one without that receipt has lost it. */
function missingIn({ evidence, bound_accepted, told, incoming, heard }: SoakFindings): string[] {
  const unreceipted = evidence.accepted.flatMap(({ message_id }) => {
    const state = evidence.stored.get(message_id)?.state;
    return state === 'submitted' ? [`LOST: ${message_id} has no receipt.`] : [];
  });
  return [
    ...unreceipted,
    ...bound_accepted.filter((id) => !told.has(id)).map((id) => `LOST: the receipt of ${id} was not told.`),
    ...incoming.filter((text) => !heard.has(text)).map((text) => `LOST: nobody heard “${text}”.`),
  ];
}

function samplesOf(held: readonly Held[], what: 'rss_mb' | 'heap_mb' | 'fds'): { at_s: number; value: number }[] {
  return held.map((one) => ({ at_s: one.at_s, value: one[what] }));
}

function rounded(value: number): number {
  return Math.round(value * 10) / 10;
}
