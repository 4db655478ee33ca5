import type { EncodedParts } from '../carriers/submit_body.ts';
import type { ClaimedMessage } from '../../domain/texts/queue.ts';
import type { E164 } from '../../domain/numbers/e164.ts';
import { isForTheMoment, isOfTheText } from '../carriers/part_result.ts';
import type { PartResult } from '../carriers/part_result.ts';
import type { Route } from '../routing/text_routes.ts';
import type { PartCounts } from './part_counts.ts';

/**
 * A part of a text in the gateway's hands:
 *
 *      ┌──────── refused, throttled, never sent, or in doubt and to be sent again ───────┐
 *      ▼                                                                                 │
 *     left ──submit──> out ──answered──> taken                                           │
 *      │                ├────────────────────────────────────────────────────────────────┘
 *      │                └──no answer, and doubt means hold, or it was sent often enough──> doubted
 *      └──an answer to an earlier attempt that came late──> taken <──the same──────────────┘
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
  /** Parts that went out and were not answered, as often as that happened. */
  readonly feared: readonly number[];
  /** Parts that are out again, and of which it is known by now that a carrier has them from before. */
  readonly had: readonly number[];
  /** Carriers that asked for patience, or said nothing, since it last went somewhere. */
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
    feared: fearedBefore(message),
    had: NONE,
    throttled_by: NONE,
    last_status: null,
    is_hopeless: false,
  };
}

const NONE: readonly number[] = [];

/** What was claimed before may have been sent before, as often as its attempts say: once more is left to it in any case. */
function fearedBefore({ attempt, segments }: ClaimedMessage): readonly number[] {
  const times = Math.min(attempt, UNANSWERED_MAX) - 1;
  if (times <= 0) return NONE;
  const parts = Array.from({ length: segments }, (_, n) => n + 1);
  return Array.from({ length: times }, () => parts).flat();
}

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

/** Whether some of it is on its way: what becomes of it is not known before that is answered. */
export function isOut({ places }: Sending): boolean {
  return places.includes('out');
}

/** Whether nothing of it was ever sent, as far as is known here. */
export function isUntouched({ message, places, feared }: Sending): boolean {
  return message.attempt === 1 && feared.length === 0 && places.every((place) => place === 'left');
}

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

/** That a part was taken, of which nobody knew any more whether it was: it is not sent again, where that can still be helped. */
export function partTakenLate(sending: Sending, part_no: number): { sending: Sending; verdict: SendingVerdict } {
  const is_out = sending.places[part_no - 1] === 'out';
  const next: Sending = is_out
    ? { ...sending, had: including(sending.had, part_no) }
    : { ...sending, places: placed(sending.places, part_no, 'taken') };
  return { sending: next, verdict: verdictOf(next) };
}

function afterResult(sending: Sending, part_no: number, carrier_id: number, result: PartResult): Sending {
  // Whatever became of it this time, a carrier has it.
  if (sending.had.includes(part_no)) return { ...sending, places: placed(sending.places, part_no, 'taken') };
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
      return unanswered(sending, part_no, carrier_id);
  }
}

/** Goes again by another carrier where there is one. What was not answered so often is a matter for a person, or for its receipt. */
function unanswered(sending: Sending, part_no: number, carrier_id: number): Sending {
  const feared = [...sending.feared, part_no];
  const is_enough = feared.filter((no) => no === part_no).length >= UNANSWERED_MAX;
  if (sending.message.on_doubt === 'hold' || is_enough) {
    return { ...sending, feared, places: placed(sending.places, part_no, 'doubted') };
  }
  return {
    ...{ ...sending, feared, attempt: sending.attempt + 1, places: placed(sending.places, part_no, 'left') },
    throttled_by: including(sending.throttled_by, carrier_id),
  };
}

/** A carrier that takes texts and never says so would otherwise be sent each of them until its validity is over. */
export const UNANSWERED_MAX = 3;

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

function including(numbers: readonly number[], number: number): readonly number[] {
  return numbers.includes(number) ? numbers : [...numbers, number];
}

/** What a carrier takes for a part, and why it was chosen: what is booked and told once it has taken one. */
export interface Way {
  carrier_id: number;
  cost: Route['cost'];
  reason: string;
}

/** What a text in hand is remembered with between its parts. */
export interface InHand {
  sending: Sending;
  encoded: EncodedParts | null;
  readonly recipient: E164;
  /** Of its country. */
  readonly counts: PartCounts;
  /** By which carrier it goes, as its route was when that was decided; null before. */
  way: Way | null;
  /** Where it stands in line; null while all of it that is left is out, or it is in no lane. */
  line: { readonly carrier_id: number; withdraw: (text: InHand) => void } | null;
}
