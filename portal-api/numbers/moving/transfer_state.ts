/**
 * The way of a number from one customer to another:
 *
 *     offered ──accepted──────────────────────────────────> done
 *        │  └──asked──> with_provider ──provider_accepted──> done
 *        │                    ├────────provider_refused────> refused
 *        │                    └────────given_up────────────> refused
 *        ├──withdrawn──> withdrawn
 *        └──expired────> expired
 *
 * `asked`: the rule for such a number has its provider agree to the new holder first, who was accepted by both sides already. The holder
 * gives a code to whom it is to go, by whatever way they know each other: so an offer tells nobody who has an account here.
 */
export const TRANSFER_STATES = ['offered', 'with_provider', 'done', 'refused', 'withdrawn', 'expired'] as const;
export type TransferState = (typeof TRANSFER_STATES)[number];

export type TransferEvent =
  'accepted' | 'asked' | 'provider_accepted' | 'provider_refused' | 'given_up' | 'withdrawn' | 'expired';

const NEXT: Readonly<Record<TransferState, Partial<Record<TransferEvent, TransferState>>>> = {
  offered: { accepted: 'done', asked: 'with_provider', withdrawn: 'withdrawn', expired: 'expired' },
  with_provider: { provider_accepted: 'done', provider_refused: 'refused', given_up: 'refused' },
  done: {},
  refused: {},
  withdrawn: {},
  expired: {},
};

/** Null where the event does not belong to the state: it then changes nothing. */
export function nextTransferState(state: TransferState, event: TransferEvent): TransferState | null {
  return NEXT[state][event] ?? null;
}

/**
 * What the provider knows of it, which is asked until it answers. Null: nobody has to be told.
 *
 *     telling ──accepted──> told
 *        │  └──refused────> refused
 *        └──given up, or it could not be handed over any more──> telling_back ──accepted──> told_back
 */
export type ToldState = 'telling' | 'told' | 'refused' | 'telling_back' | 'told_back';
