import { GRACE_MS, SUSPENSION_MS } from '../terms.ts';

/**
 * The way of a number with its holder:
 *
 *            ┌──────────────paid─────────────┐
 *            v                               │
 *     active ──unpaid──> grace ──grace_over──> suspended ──suspension_over──> ended
 *       ├───kept────────────┴────────kept─────────^
 *       └────left─────────┴────────left──────────┴────────left────────────────^
 *
 * In grace it works as before; suspended, it takes no calls and no texts. `left`: cancelled, handed to another customer or operator, or
 * taken back. `kept`, which suspends it at once: its end has come, and it is not ended only because somebody says that it is his.
 */
export type HoldingState = 'active' | 'grace' | 'suspended' | 'ended';

export type HoldingEvent = 'paid' | 'unpaid' | 'grace_over' | 'suspension_over' | 'left' | 'kept';

const NEXT: Readonly<Record<HoldingState, Partial<Record<HoldingEvent, HoldingState>>>> = {
  active: { paid: 'active', unpaid: 'grace', left: 'ended', kept: 'suspended' },
  grace: { paid: 'active', grace_over: 'suspended', left: 'ended', kept: 'suspended' },
  suspended: { paid: 'active', suspension_over: 'ended', left: 'ended' },
  ended: {},
};

/** Null where the event does not belong to the state: it then changes nothing. */
export function nextHoldingState(state: HoldingState, event: HoldingEvent): HoldingState | null {
  return NEXT[state][event] ?? null;
}

export interface UnpaidHolding {
  state: HoldingState;
  state_since: Date;
}

/** What happens to a number whose next period could not be paid; null: nothing yet. */
export function unpaidEvent({ state, state_since }: UnpaidHolding, now: Date): HoldingEvent | null {
  switch (state) {
    case 'active':
      return 'unpaid';
    case 'grace':
      return now.getTime() >= graceEnd(state_since).getTime() ? 'grace_over' : null;
    case 'suspended':
      return now.getTime() >= suspensionEnd(state_since).getTime() ? 'suspension_over' : null;
    case 'ended':
      return null;
  }
}

export const graceEnd = (since: Date): Date => new Date(since.getTime() + GRACE_MS);
export const suspensionEnd = (since: Date): Date => new Date(since.getTime() + SUSPENSION_MS);
