import { PRIORITIES } from '../../../domain/texts/message.ts';
import type { MessageClass } from '../../../domain/texts/message.ts';
import { judge, passed } from '../../chaos/sms/verdict.ts';
import type { SmsEvidence } from '../../chaos/sms/verdict.ts';
import type { Takings } from './carrier_log.ts';
import { largestSecond } from './largest_second.ts';
import { orderOf } from './order.ts';

export interface BacklogFindings extends Takings {
  /** How many were to be accepted. */
  texts: number;
  evidence: SmsEvidence;
  class_of: ReadonlyMap<string, MessageClass>;
  /** Of the carrier's bind. */
  per_second_max: number;
  /** How many texts the gateway has in memory for one carrier: so many may overtake one that is still in the database. */
  lane_texts_max: number;
  /** Of the gateway, each second. */
  rss_mb: readonly number[];
  /** What went wrong on the way. */
  mishaps: readonly string[];
}

export interface BacklogVerdict {
  texts: number;
  /** Accepted, and neither with the carrier nor ended. */
  lost: number;
  sent_twice_unflagged: number;
  duplicates_flagged: number;
  /** That we acknowledged and do not have, and texts without one, as this carrier delivers everything. */
  receipts_missing: number;
  /** Texts that a less urgent one overtook, and the most that overtook one. */
  out_of_order: { code: number; normal: number; distance_max: number };
  /** What the carrier read within any 1,000 ms. */
  largest_second: number;
  per_second_max: number;
  /** By how much it may have read late what it was sent in time. */
  carrier_pause_ms_max: number;
  rss_mb_max: number;
  /** From when the carrier opened until it had the last text. */
  drain_s: number;
  ledger_balanced: boolean;
}

/** What a bind may send at once after a pause, in seconds' worth of its rate (sms-gateway/carriers/pace.ts). */
const BURST_SECONDS = 0.05;
/** A pause that is longer was none of the carrier's: nobody sent it anything. */
const PAUSE_MS_MAX = 300;

export function judgeBacklog(findings: BacklogFindings): {
  verdict: BacklogVerdict;
  faults: readonly string[];
  has_passed: boolean;
} {
  const { evidence, opened_at_ms, takings, per_second_max, pause_ms_max } = findings;
  const texts = judge(evidence);
  const unreceipted = evidence.accepted.flatMap(({ message_id }) => {
    const state = evidence.stored.get(message_id)?.state;
    return state === 'delivered' ? [] : [`NO RECEIPT: ${message_id} is ${state ?? 'not stored'}.`];
  });
  const { overtaken, distance_max } = orderOf(urgenciesOf(findings));
  const largest_second = largestSecond(takings.map(({ at_ms }) => at_ms));
  const faults = [
    ...findings.mishaps,
    ...tooFew(findings),
    ...outOfOrder(findings, distance_max),
    ...tooFast(findings, largest_second),
    ...texts.faults,
    ...unreceipted,
  ];
  return {
    faults,
    has_passed: passed(texts) && faults.length === 0,
    verdict: {
      texts: evidence.accepted.length,
      lost: texts.verdict.lost,
      sent_twice_unflagged: texts.verdict.duplicates_unflagged,
      duplicates_flagged: texts.verdict.duplicates_flagged,
      receipts_missing: texts.verdict.receipts_lost + unreceipted.length,
      out_of_order: {
        code: overtaken.get(PRIORITIES.code) ?? 0,
        normal: overtaken.get(PRIORITIES.normal) ?? 0,
        distance_max,
      },
      ...{ largest_second, per_second_max, carrier_pause_ms_max: pause_ms_max },
      rss_mb_max: Math.round(Math.max(0, ...findings.rss_mb)),
      drain_s: Math.round(((takings.at(-1)?.at_ms ?? opened_at_ms) - opened_at_ms) / 100) / 10,
      ledger_balanced: texts.verdict.ledger_balanced,
    },
  };
}

function tooFew({ texts, evidence: { accepted } }: BacklogFindings): string[] {
  return accepted.length >= texts ? [] : [`TOO FEW: ${accepted.length} of ${texts} texts were accepted.`];
}

function outOfOrder({ lane_texts_max }: BacklogFindings, distance_max: number): string[] {
  if (distance_max <= lane_texts_max) return [];
  return [`OUT OF ORDER: ${distance_max} less urgent texts overtook one, where a lane has ${lane_texts_max}.`];
}

/** In any second, and in all: what was read late only seems to have come faster, and no more of it came for that. */
function tooFast({ takings, per_second_max, pause_ms_max }: BacklogFindings, largest_second: number): string[] {
  const slack_s = BURST_SECONDS + Math.min(pause_ms_max, PAUSE_MS_MAX) / 1_000;
  const all_s = ((takings.at(-1)?.at_ms ?? 0) - (takings[0]?.at_ms ?? 0)) / 1_000;
  return [
    { texts: largest_second, seconds: 1 },
    { texts: takings.length, seconds: all_s },
  ].flatMap(({ texts, seconds }) =>
    texts <= per_second_max * (seconds + slack_s)
      ? []
      : [`TOO FAST: ${texts} texts came within ${seconds} s, where the bind may take ${per_second_max} a second.`],
  );
}

/** Of each text when it was taken first. */
function urgenciesOf({ takings, class_of }: BacklogFindings): number[] {
  const seen = new Set<string>();
  return takings.flatMap(({ tag }) => {
    const text_class = class_of.get(tag);
    if (text_class === undefined || seen.has(tag)) return [];
    seen.add(tag);
    return [PRIORITIES[text_class]];
  });
}
