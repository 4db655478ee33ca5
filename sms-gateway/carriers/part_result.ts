import { STATUS } from '../smpp/status.ts';

/** What became of one part that was to be sent. */
export type PartResult =
  | { kind: 'taken'; carrier_message_id: string }
  /** The carrier does not want it, for the moment or ever: another carrier may. */
  | { kind: 'refused'; status: number }
  /** The carrier asks for patience; the part itself is welcome. */
  | { kind: 'throttled'; status: number }
  /** It surely never left this process. */
  | { kind: 'unsent' }
  /** The carrier may have it. */
  | { kind: 'unanswered'; why: string };

/** Statuses by which a carrier asks for patience (SMPP 3.4, 5.1.3). */
const THROTTLING: ReadonlySet<number> = new Set([STATUS.ESME_RTHROTTLED, STATUS.ESME_RMSGQFUL]);

export function resultOfStatus(status: number, message_id: string | null): PartResult {
  if (status === STATUS.ESME_ROK) {
    // A carrier that takes a part and gives no id can never send a receipt that we could match.
    return { kind: 'taken', carrier_message_id: message_id ?? '' };
  }
  return THROTTLING.has(status) ? { kind: 'throttled', status } : { kind: 'refused', status };
}

/** Refusals that are about the text itself or its recipient, which no other carrier will like better. */
const OF_THE_TEXT: ReadonlySet<number> = new Set([
  STATUS.ESME_RINVMSGLEN,
  STATUS.ESME_RINVDSTADR,
  STATUS.ESME_RINVEXPIRY,
  STATUS.ESME_RINVSCHED,
]);

/** Refusals by which a carrier says that it cannot now, where it may in a minute. */
const FOR_THE_MOMENT: ReadonlySet<number> = new Set([STATUS.ESME_RSYSERR, STATUS.ESME_RX_T_APPN]);

export function isForTheMoment(status: number): boolean {
  return FOR_THE_MOMENT.has(status);
}

export function isOfTheText(status: number): boolean {
  return OF_THE_TEXT.has(status);
}
