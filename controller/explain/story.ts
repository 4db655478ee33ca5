import type { CallRecord } from '../../domain/calls/hold.ts';
import type { Posting } from '../../domain/ledger/postings.ts';
import type { LegLine, PriceLine } from '../../domain/rating/explain_price.ts';
import type { Rate } from '../../domain/rating/rate.ts';
import type { Blame } from '../call/blame.ts';
import type { RateSource } from '../call/plan.ts';

/** One line of the bill: those of the price, and the tax on them. */
export interface BillLine {
  key: PriceLine['key'] | 'tax';
  part: LegLine['part'];
  seconds: number;
  micros: bigint;
}

/** Money that was put aside for the next seconds of the call: the first hold, or a renewal. */
export interface GrantStory {
  no: number;
  at: Date;
  seconds: number;
  micros: bigint;
  pack_seconds: number;
}

/** One try at the other side. `carrier` is null where phones of our own rang, or help was called. */
export interface AttemptStory {
  attempt: number;
  carrier: string | null;
  trunk_id: string | null;
  started_at_ms: number;
  ringing_at_ms: number | null;
  ended_at_ms: number | null;
  sip_status: number | null;
  cause: number | null;
  blame: Blame | null;
  answered: boolean;
  /** There where no phone rang, but a message was taken. */
  mailbox?: true;
}

/** What the seconds are charged by. `source` is null where the price is not from a deck: a DID's own, or help, which is free. */
export interface RateStory {
  rate: Rate;
  source: RateSource | null;
  tax_ppm: number;
  /** The price of the way on, beside the number's own; null where the call was not forwarded, or a phone answered. */
  forwarded: { to: string; rate: Rate; source: RateSource } | null;
}

/** Everything that is known of one charged side of a call. Amounts are micros of `currency`, times the switch's own. */
export interface Story {
  call_id: string;
  leg_id: string;
  /** `ringing` and `talking` still go on, and what they say is how it stands so far. */
  state: 'ringing' | 'talking' | 'over';
  direction: CallRecord['direction'];
  device: string | null;
  dialled: string;
  caller: string | null;
  callee: string | null;
  destination: string | null;
  /** In which the times are told. */
  time_zone: string;
  started_at: Date;
  answered_at: Date | null;
  ended_at: Date | null;
  /** When what is held is used up; null once the call is over. */
  deadline_at: Date | null;
  duration_ms: number;
  duration_source: CallRecord['duration_source'];
  seconds_charged: number;
  seconds_billed: number;
  pack_seconds: number;
  result: CallRecord['result'] | null;
  refusal: string | null;
  /** What a refusal was decided by: a prefix, a rate, a limit. */
  facts: Readonly<Record<string, unknown>>;
  cause: number | null;
  blame: Blame;
  pdd_ms: number | null;
  routing: readonly string[];
  attempts: readonly AttemptStory[];
  rate: RateStory | null;
  grants: readonly GrantStory[];
  held_micros: bigint;
  currency: string | null;
  bill: readonly BillLine[];
  charged_micros: bigint;
  operator_loss_micros: bigint;
  cost_micros: bigint;
  cost_currency: string | null;
  postings: readonly Posting[];
  /** What does not agree with the rest, in words; empty where every line leads to the charge, as it always should. */
  contradictions: readonly string[];
}

export function sumOf(lines: readonly { readonly micros: bigint }[]): bigint {
  return lines.reduce((sum, line) => sum + line.micros, 0n);
}
