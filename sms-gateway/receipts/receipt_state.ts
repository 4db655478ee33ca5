import type { ReceiptState } from '../../domain/texts/message.ts';

/** message_state of SMPP 3.4 section 5.2.28; 0 and 9 are of 5.0, section 4.7.15. */
const BY_NUMBER: readonly ReceiptState[] = [
  // Scheduled: it has not set out yet.
  'enroute',
  'enroute',
  'delivered',
  'expired',
  'deleted',
  'undeliverable',
  'accepted',
  'unknown',
  'rejected',
  // Skipped: taken by the carrier and never sent.
  'undeliverable',
];

/** The seven letters of SMPP 3.4 appendix B, and what carriers write instead. */
const WORDS: Readonly<Record<ReceiptState, readonly string[]>> = {
  delivered: ['DELIVRD', 'DELIVERED', 'DELIVERD', 'DLIVRD', 'DELIVER', 'DELIV'],
  expired: ['EXPIRED', 'EXPIRD'],
  deleted: ['DELETED', 'CANCELED', 'CANCELLED'],
  undeliverable: [
    ...['UNDELIV', 'UNDELIVERABLE', 'UNDELIVERED', 'UNDELIVRD', 'UNDLIVRD', 'UNDELVD', 'NOTDLVD', 'NOTDELIV'],
    ...['NOTDELIVERED', 'FAILED', 'FAILURE', 'FAIL', 'ABORTED', 'SKIPPED'],
  ],
  accepted: ['ACCEPTD', 'ACCEPTED', 'ACKED'],
  unknown: ['UNKNOWN', 'UNKNOWNSTATE'],
  rejected: ['REJECTD', 'REJECTED'],
  // On its way, in the carrier's hands or the network's: another receipt follows.
  enroute: [
    ...['ENROUTE', 'BUFFERED', 'BUFFRED', 'SENT', 'TRANSMITTED', 'TRANSMITTD', 'SUBMITTED', 'SUBMITD', 'QUEUED'],
    ...['PENDING', 'SCHEDULED', 'SCHEDULD', 'RETRY'],
  ],
};

const BY_WORD: ReadonlyMap<string, ReceiptState> = new Map(
  Object.entries(WORDS).flatMap(([state, words]) => words.map((word) => [word, state as ReceiptState] as const)),
);

/** Null for a number that no standard has. */
export function stateOfNumber(message_state: number): ReceiptState | null {
  return BY_NUMBER[message_state] ?? null;
}

/**
 * The state that a receipt's `stat` means, in upper or lower case. Null for a word that nobody has explained: it is not
 * guessed, since most states are a text's last word.
 */
export function stateOfWord(stat: string): ReceiptState | null {
  return BY_WORD.get(stat.toUpperCase().replace(/[^A-Z]/gu, '')) ?? null;
}
