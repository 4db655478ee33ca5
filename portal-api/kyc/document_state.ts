/**
 *                submit                 approve               expire
 *   ┌──────────┐        ┌───────────┐          ┌──────────┐          ┌─────────┐
 *   │ uploaded │───────▶│ submitted │─────────▶│ approved │─────────▶│ expired │
 *   └──────────┘        └───────────┘          └──────────┘          └─────────┘
 *        ▲                │       │              │   │   │  replace  ┌──────────┐
 *        │         reject │       │ ask_again    │   │   └──────────▶│ replaced │
 *        │                ▼       ▼              │   │               └──────────┘
 *        │         ┌──────────┐ ┌─────────────┐  │   │
 *        │         │ rejected │ │ asked_again │◀─┘   │
 *        │         └──────────┘ └─────────────┘      │
 *        └───────────────────────────────────────────┘
 *           recheck: what it bears out was changed
 */
export type DocumentState = 'uploaded' | 'submitted' | 'approved' | 'rejected' | 'asked_again' | 'expired' | 'replaced';

export type DocumentEvent = 'submit' | 'approve' | 'reject' | 'ask_again' | 'expire' | 'replace' | 'recheck';

const STEPS: Readonly<Record<DocumentState, Partial<Record<DocumentEvent, DocumentState>>>> = {
  uploaded: { submit: 'submitted' },
  submitted: { approve: 'approved', reject: 'rejected', ask_again: 'asked_again' },
  approved: { ask_again: 'asked_again', expire: 'expired', replace: 'replaced', recheck: 'uploaded' },
  rejected: {},
  asked_again: {},
  expired: {},
  replaced: {},
};

/** The state that follows; null where the event cannot happen to a document in this one. */
export function stepDocument(state: DocumentState, event: DocumentEvent): DocumentState | null {
  return STEPS[state][event] ?? null;
}

/** What is kept for no longer than a refused document is: nothing is decided by it any more. */
export const DONE_STATES = [
  'rejected',
  'asked_again',
  'expired',
  'replaced',
] as const satisfies readonly DocumentState[];
