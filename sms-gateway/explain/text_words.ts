import { STATUS, statusName } from '../smpp/status.ts';
import type { StoredEvent, StoredText } from './text_record.ts';

const sources: Readonly<Record<StoredText['source'], string>> = {
  http: 'over the HTTP API',
  smpp: 'over SMPP',
  portal: 'from the portal',
  system: 'from Letsdial itself, which sends codes and answers keywords',
  carrier: 'from a carrier',
};

export function sourceWords({ source, system_id }: Pick<StoredText, 'source' | 'system_id'>): string {
  return system_id === null ? sources[source] : `${sources[source]}, by ${system_id}`;
}

/** What carriers mean by the statuses that a submit_sm gets (SMPP 3.4, 5.1.3). */
const statuses: ReadonlyMap<number, string> = new Map([
  [STATUS.ESME_ROK, 'taken'],
  [STATUS.ESME_RINVMSGLEN, 'the text has a length that it does not take'],
  [STATUS.ESME_RSYSERR, 'something on its side did not work'],
  [STATUS.ESME_RINVSRCADR, 'it does not take this sender'],
  [STATUS.ESME_RINVDSTADR, 'it does not reach the number'],
  [STATUS.ESME_RMSGQFUL, 'its queue is full'],
  [STATUS.ESME_RINVSRCTON, 'it does not take this kind of sender'],
  [STATUS.ESME_RINVDSTTON, 'it does not take this kind of number'],
  [STATUS.ESME_RSUBMITFAIL, 'it could not take the text'],
  [STATUS.ESME_RTHROTTLED, 'more texts come than it wants'],
  [STATUS.ESME_RINVSCHED, 'it does not take this time of delivery'],
  [STATUS.ESME_RINVEXPIRY, 'it does not take this validity'],
  [STATUS.ESME_RX_T_APPN, 'it cannot take the text now'],
  [STATUS.ESME_RX_P_APPN, 'it never will take the text'],
  [STATUS.ESME_RX_R_APPN, 'it rejects the text'],
  [STATUS.ESME_RDELIVERYFAILURE, 'the text could not be delivered'],
  [STATUS.ESME_RPROHIBITED, 'it forbids the text'],
  [STATUS.ESME_RINVDCS, 'it does not take this encoding'],
]);

/** `ESME_RTHROTTLED, more texts come than it wants`. */
export function statusWords(status: number | null): string {
  if (status === null) return 'it does not say why';
  const words = statuses.get(status);
  return words === undefined ? statusName(status) : `${statusName(status)}, ${words}`;
}

const receipts: Readonly<Record<NonNullable<StoredEvent['state']>, string>> = {
  enroute: 'on its way',
  accepted: 'taken, but not delivered yet',
  delivered: 'delivered',
  undeliverable: 'it cannot be delivered',
  expired: 'it was not delivered in time',
  rejected: 'rejected',
  deleted: 'deleted before it was delivered',
  cancelled: 'taken back',
  unknown: 'what became of it is not known',
};

export function receiptWords(state: NonNullable<StoredEvent['state']>): string {
  return receipts[state];
}

const endings: Readonly<Record<NonNullable<StoredEvent['state']>, string>> = {
  enroute: 'Still on its way',
  accepted: 'Still on its way',
  delivered: 'Delivered',
  undeliverable: 'Not delivered: the network cannot deliver it',
  expired: 'Not delivered: its time was over before it could be',
  rejected: 'Not delivered: it was refused',
  deleted: 'Not delivered: it was deleted on its way',
  cancelled: 'Not sent: its sender took it back',
  unknown: 'Nobody knows whether it was delivered: its carrier has no other last word',
};

export function endingWords(state: NonNullable<StoredEvent['state']>): string {
  return endings[state];
}

const doubts: Readonly<Record<string, string>> = {
  'no answer: timeout': 'none came in time',
  'no answer: closed': 'the connection ended first',
  'no answer: malformed': 'what came cannot be read',
};

/** Why there is no answer, as sms-gateway/lanes/dispatcher.ts wrote it. */
export function doubtWords(detail: string | null): string {
  return detail === null ? 'nobody knows why' : (doubts[detail] ?? detail);
}

const classes: Readonly<Record<StoredText['class'], string>> = {
  code: 'A code that somebody waits for: it goes before other texts.',
  normal: '',
  bulk: 'One of many that nobody waits for: it lets others go first.',
};

/** Empty for a text like most. */
export function classWords(of_class: StoredText['class']): string {
  return classes[of_class];
}

const SECOND_MS = 1_000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/** How much later, to what a person cares for: `0.123 s`, `3 min 5 s`, `2 h 10 min`, `1 d 3 h`. Negative where it was earlier. */
export function laterWords(ms: number): string {
  if (ms < 0) return `-${laterWords(-ms)}`;
  if (ms < MINUTE_MS) return `${(ms / SECOND_MS).toFixed(3)} s`;
  if (ms < HOUR_MS) return `${Math.floor(ms / MINUTE_MS)} min ${Math.floor((ms % MINUTE_MS) / SECOND_MS)} s`;
  if (ms < DAY_MS) return `${Math.floor(ms / HOUR_MS)} h ${Math.floor((ms % HOUR_MS) / MINUTE_MS)} min`;
  return `${Math.floor(ms / DAY_MS)} d ${Math.floor((ms % DAY_MS) / HOUR_MS)} h`;
}
