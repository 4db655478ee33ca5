import type { EncodedParts } from '../carriers/submit_body.ts';
import type { ClaimedMessage } from '../../domain/texts/queue.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import { isForTheMoment, isOfTheText } from '../carriers/part_result.ts';
import type { PartResult } from '../carriers/part_result.ts';
import type { PartCounts } from './part_counts.ts';

/**
 * A part of a text in the gateway's hands:
 *
 *            ┌──────── refused, throttled, never sent, or in doubt and to be sent again ───────┐
 *            ▼                                                                                 │
 *     left ──submit──> out ──answered──> taken                                                 │
 *                       └──────────────────────────────────────────────────────────────────────┘
 *                       └──no answer, and doubt means hold──> doubted
 */
export type PartPlace = 'left' | 'out' | 'taken' | 'doubted';

export interface Sending {
  readonly message: ClaimedMessage;
  /** Place of part n at n − 1. */
  readonly places: readonly PartPlace[];
  /** Counts up whenever a part may go a second time. */
  readonly attempt: number;
  /** Carriers that do not want it. */
  readonly refused_by: readonly number[];
  /** Whether one of them did not want it for the moment only, so that it is worth waiting. */
  readonly may_be_wanted_later: boolean;
  /** Carriers that asked for patience since it last went somewhere. */
  readonly throttled_by: readonly number[];
  /** The last refusal, for the story of a text that nobody took. */
  readonly last_status: number | null;
  /** A refusal that is the text's own fault. */
  readonly is_hopeless: boolean;
}

/**
 * What is to become of a text whose part was answered. `outstanding`: nothing yet, others are still out. `again`: what is left
 * goes to whichever carrier is next.
 */
export type SendingVerdict = 'outstanding' | 'done' | 'again' | 'doubt' | 'hopeless';

export function beginSending(message: ClaimedMessage): Sending {
  const places = Array.from({ length: message.segments }, (_, n): PartPlace =>
    message.parts_submitted.includes(n + 1) ? 'taken' : 'left',
  );
  return {
    message,
    places,
    attempt: message.attempt,
    refused_by: NONE,
    may_be_wanted_later: false,
    throttled_by: NONE,
    last_status: null,
    is_hopeless: false,
  };
}

const NONE: readonly number[] = [];

/** The next part to be sent, from 1; null when none is left. */
export function nextPart({ places }: Sending): number | null {
  const at = places.indexOf('left');
  return at < 0 ? null : at + 1;
}

export function partLeft(sending: Sending, part_no: number): Sending {
  return { ...sending, places: placed(sending.places, part_no, 'out') };
}

/**
 * How long a text waits that every carrier refused, one of them for the moment only: half as long as it has been tried for, so
 * that a hiccup costs seconds, and a day's outage some dozens of attempts.
 */
export function retryInMs({ message }: Sending, now_ms: number): number {
  return Math.min(RETRY_MS.most, Math.max(RETRY_MS.least, Math.floor((now_ms - message.wanted_at_ms) / 2)));
}

const RETRY_MS = { least: 5_000, most: 600_000 };

/** How many parts no carrier has, and none may have. */
export function segmentsLeft({ places }: Sending): number {
  return places.filter((place) => place === 'left').length;
}

export function partAnswered(
  sending: Sending,
  part_no: number,
  carrier_id: number,
  result: PartResult,
): { sending: Sending; verdict: SendingVerdict } {
  const next = afterResult(sending, part_no, carrier_id, result);
  return { sending: next, verdict: verdictOf(next) };
}

function afterResult(sending: Sending, part_no: number, carrier_id: number, result: PartResult): Sending {
  switch (result.kind) {
    case 'taken':
      return { ...sending, places: placed(sending.places, part_no, 'taken') };
    case 'refused':
      return {
        ...sending,
        places: placed(sending.places, part_no, 'left'),
        refused_by: including(sending.refused_by, carrier_id),
        may_be_wanted_later: sending.may_be_wanted_later || isForTheMoment(result.status),
        last_status: result.status,
        is_hopeless: sending.is_hopeless || isOfTheText(result.status),
      };
    case 'throttled':
      return {
        ...sending,
        places: placed(sending.places, part_no, 'left'),
        throttled_by: including(sending.throttled_by, carrier_id),
        last_status: result.status,
      };
    case 'unsent':
      return { ...sending, places: placed(sending.places, part_no, 'left') };
    case 'unanswered':
      return sending.message.on_doubt === 'hold'
        ? { ...sending, places: placed(sending.places, part_no, 'doubted') }
        : { ...sending, places: placed(sending.places, part_no, 'left'), attempt: sending.attempt + 1 };
  }
}

function verdictOf({ places, is_hopeless }: Sending): SendingVerdict {
  if (places.includes('out')) return 'outstanding';
  if (places.includes('doubted')) return 'doubt';
  if (!places.includes('left')) return 'done';
  return is_hopeless ? 'hopeless' : 'again';
}

function placed(places: readonly PartPlace[], part_no: number, place: PartPlace): readonly PartPlace[] {
  return places.length === 1 ? SINGLE[place] : places.map((one, at) => (at === part_no - 1 ? place : one));
}

/** Most texts have one part: these serve them all. */
const SINGLE: Readonly<Record<PartPlace, readonly PartPlace[]>> = {
  left: ['left'],
  out: ['out'],
  taken: ['taken'],
  doubted: ['doubted'],
};

function including(carriers: readonly number[], carrier_id: number): readonly number[] {
  return carriers.includes(carrier_id) ? carriers : [...carriers, carrier_id];
}

/** What a text in hand is remembered with between its parts. */
export interface InHand {
  sending: Sending;
  encoded: EncodedParts | null;
  readonly recipient: E164;
  /** Of its country. */
  readonly counts: PartCounts;
}
