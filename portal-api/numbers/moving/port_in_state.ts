/**
 * The way of a number from another operator to us:
 *
 *     requested ──documents_missing──> documents_missing ──documents_there──┐
 *        │                                  ^                               │
 *        │                          documents_refused                       │
 *        │                                  │                               v
 *        └────────documents_there───────────┴────────────────────────> submitted
 *                                                                       │     │
 *                                              ┌────────rejected────────┘ scheduled
 *                                              v                              v
 *                                          rejected <──rejected─────────── scheduled ──completed──> completed
 *                                                                           │     ^
 *                                                                           └─────┘ scheduled, for another day
 *
 * What waits for documents may be rejected as well, and whatever is not at its end may be cancelled, and is `cancelled` then. The number
 * works here from `completed` on and not before, and that is when its fee is taken.
 */
export const PORT_IN_STATES = [
  'requested',
  'documents_missing',
  'submitted',
  'rejected',
  'scheduled',
  'completed',
  'cancelled',
] as const;
export type PortInState = (typeof PORT_IN_STATES)[number];

export type PortInEvent =
  'documents_missing' | 'documents_there' | 'documents_refused' | 'rejected' | 'scheduled' | 'completed' | 'cancelled';

const NEXT: Readonly<Record<PortInState, Partial<Record<PortInEvent, PortInState>>>> = {
  requested: { documents_missing: 'documents_missing', documents_there: 'submitted', cancelled: 'cancelled' },
  documents_missing: { documents_there: 'submitted', rejected: 'rejected', cancelled: 'cancelled' },
  submitted: {
    ...{ documents_refused: 'documents_missing', rejected: 'rejected', scheduled: 'scheduled', cancelled: 'cancelled' },
  },
  scheduled: { scheduled: 'scheduled', rejected: 'rejected', completed: 'completed', cancelled: 'cancelled' },
  rejected: {},
  completed: {},
  cancelled: {},
};

/** Null where the event does not belong to the state: it then changes nothing. */
export function nextPortInState(state: PortInState, event: PortInEvent): PortInState | null {
  return NEXT[state][event] ?? null;
}

/** What an operator may want to see before it lets a number go. */
export const PORT_IN_DOCUMENTS = ['letter_of_authorisation', 'latest_bill', 'identity'] as const;
export type PortInDocumentKind = (typeof PORT_IN_DOCUMENTS)[number];

/** What of the needed ones is not there, or was looked at and refused. */
export function missingKinds(
  needed: readonly PortInDocumentKind[],
  there: readonly { kind: PortInDocumentKind; refused_at: Date | null }[],
): PortInDocumentKind[] {
  const good = new Set(there.filter(({ refused_at }) => refused_at === null).map(({ kind }) => kind));
  return needed.filter((kind) => !good.has(kind));
}
