/**
 * A customer says that a number of his does not work:
 *
 *     open ──accept────> accepted, and the days that are granted are given back
 *       ├────decline───> declined
 *       └────withdraw──> withdrawn, by the customer
 */
export const CLAIM_STATES = ['open', 'accepted', 'declined', 'withdrawn'] as const;
export type ClaimState = (typeof CLAIM_STATES)[number];

export type ClaimEvent = 'accept' | 'decline' | 'withdraw';

const NEXT: Readonly<Record<ClaimState, Partial<Record<ClaimEvent, ClaimState>>>> = {
  open: { accept: 'accepted', decline: 'declined', withdraw: 'withdrawn' },
  accepted: {},
  declined: {},
  withdrawn: {},
};

/** The state after it; null where it is closed already. */
export function nextClaimState(state: ClaimState, event: ClaimEvent): ClaimState | null {
  return NEXT[state][event] ?? null;
}
