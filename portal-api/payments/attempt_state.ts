import type { PaymentState } from './payment_provider.ts';

/**
 * The life of one try to take money:
 *
 *     created ──pending──> pending
 *        │                    │
 *        ├─succeeded──────────┼──> succeeded ──dispute opened──> disputed ──won──> succeeded
 *        ├─failed─────────────┼──> failed          │                 └────lost──> charged_back
 *        └─cancelled──────────┴──> cancelled       └──dispute lost──────────────> charged_back
 *
 * Events come late, twice and in any order. Money that came is never told away by what is older: once it succeeded, neither pending nor
 * failed nor cancelled changes anything. A payment that failed or was given up may still succeed, as the customer tries another card on
 * the same page. A dispute says that the payment had succeeded, though nobody had told us yet.
 */
export type AttemptState = 'created' | 'succeeded' | 'disputed' | 'charged_back' | PaymentState;

export type AttemptEvent = PaymentState | 'dispute_open' | 'dispute_won' | 'dispute_lost';

/** Whether the money is counted in the ledger, disputed or not. */
export const hasSucceeded = (state: AttemptState): boolean =>
  state === 'succeeded' || state === 'disputed' || state === 'charged_back';

/** The state after an event; the same where it changes nothing. */
export function next(state: AttemptState, event: AttemptEvent): AttemptState {
  switch (event) {
    case 'pending':
      return state === 'created' ? 'pending' : state;
    case 'failed':
    case 'cancelled':
      return state === 'created' || state === 'pending' ? event : state;
    case 'succeeded':
      return hasSucceeded(state) ? state : 'succeeded';
    case 'dispute_open':
      return state === 'charged_back' ? state : 'disputed';
    case 'dispute_won':
      return state === 'charged_back' ? state : 'succeeded';
    case 'dispute_lost':
      return 'charged_back';
  }
}
