/**
 * A version of a rate deck on its way into force.
 *
 *     draft ──approve (another admin)──> approved ──its time comes──> in_force
 *       └──────────withdraw──────────> withdrawn <──withdraw──┘
 */
export type DeckState = 'draft' | 'approved' | 'in_force' | 'withdrawn';

export type DeckEvent = 'approve' | 'withdraw' | 'time_comes';

const steps: Readonly<Record<DeckState, Partial<Record<DeckEvent, DeckState>>>> = {
  draft: { approve: 'approved', withdraw: 'withdrawn' },
  approved: { time_comes: 'in_force', withdraw: 'withdrawn' },
  in_force: {},
  withdrawn: {},
};

/** The state after it; null where the event is none for this state. */
export function stepDeck(state: DeckState, event: DeckEvent): DeckState | null {
  return steps[state][event] ?? null;
}
