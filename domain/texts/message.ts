/** The vocabulary of texts, which the tables of domain/migrations/0006_messages.sql share. */

/** code: somebody waits for it at a login; bulk: nobody does. */
export type MessageClass = 'code' | 'normal' | 'bulk';

/** What becomes of a text of which it is not known whether a carrier took it: sent again and flagged, or held for a person. */
export type OnDoubt = 'resend' | 'hold';

export type MessageSource = 'http' | 'smpp' | 'portal' | 'system';

/** What a receipt says of a part. */
export type ReceiptState =
  'enroute' | 'accepted' | 'delivered' | 'undeliverable' | 'expired' | 'rejected' | 'deleted' | 'unknown';

/** How a text ended. */
export type FinalState = Exclude<ReceiptState, 'enroute' | 'accepted'> | 'cancelled';

/** Where a text stands, as the view message_state tells. */
export type MessageState = FinalState | 'queued' | 'scheduled' | 'held' | 'in_doubt' | 'submitted' | 'received';

/** A login code overtakes a newsletter. */
export const PRIORITIES: Readonly<Record<MessageClass, number>> = { code: 0, normal: 1, bulk: 2 };
