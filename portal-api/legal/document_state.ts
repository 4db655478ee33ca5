/**
 * A version of a legal text.
 *
 *     draft ──schedule──> scheduled ──its time comes──> in_force ──a newer one comes──> superseded
 *       └─────────────────publish at once─────────────────↑
 */
export type DocumentState = 'draft' | 'scheduled' | 'in_force' | 'superseded';

export type DocumentEvent = 'schedule' | 'publish' | 'time_comes' | 'newer_comes';

const steps: Readonly<Record<DocumentState, Partial<Record<DocumentEvent, DocumentState>>>> = {
  draft: { schedule: 'scheduled', publish: 'in_force' },
  scheduled: { time_comes: 'in_force', publish: 'in_force' },
  in_force: { newer_comes: 'superseded' },
  superseded: {},
};

/** The state after it; null where the event is none for this state. */
export function stepDocument(state: DocumentState, event: DocumentEvent): DocumentState | null {
  return steps[state][event] ?? null;
}
