/**
 * A customer says that a number is his which another one has:
 *
 *     open ──uphold──> proposed ──uphold, by another admin──> upheld, and the number is the claimant's
 *      │ │ <─send_back─┘ │ │
 *      │ └────reject─────┘ └──> rejected
 *      ├──────withdraw─────┴──> withdrawn, by the claimant
 *      └──────lapse────────┴──> lapsed, as the holder lost the number otherwise
 */
export const DISPUTE_STATES = ['open', 'proposed', 'upheld', 'rejected', 'withdrawn', 'lapsed'] as const;
export type DisputeState = (typeof DISPUTE_STATES)[number];

export type DisputeEvent = 'uphold' | 'send_back' | 'reject' | 'withdraw' | 'lapse';

const NEXT: Readonly<Record<DisputeState, Partial<Record<DisputeEvent, DisputeState>>>> = {
  open: { uphold: 'proposed', reject: 'rejected', withdraw: 'withdrawn', lapse: 'lapsed' },
  proposed: { uphold: 'upheld', send_back: 'open', reject: 'rejected', withdraw: 'withdrawn', lapse: 'lapsed' },
  upheld: {},
  rejected: {},
  withdrawn: {},
  lapsed: {},
};

/** The state after it; null where the event does not belong to the state, as to one that is closed. */
export function nextDisputeState(state: DisputeState, event: DisputeEvent): DisputeState | null {
  return NEXT[state][event] ?? null;
}
