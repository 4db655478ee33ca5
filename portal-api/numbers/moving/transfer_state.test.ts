import { expect, it } from 'vitest';
import { nextTransferState, TRANSFER_STATES } from './transfer_state.ts';
import type { TransferEvent, TransferState } from './transfer_state.ts';

const events: readonly TransferEvent[] = [
  ...(['accepted', 'asked', 'provider_accepted', 'provider_refused', 'given_up', 'withdrawn', 'expired'] as const),
];

it('a transfer that is at its end stays there, and one that is with the provider ends by its word or an admin’s alone', () => {
  const ways = TRANSFER_STATES.flatMap((state) =>
    events.flatMap((event) => {
      const next = nextTransferState(state, event);
      return next === null ? [] : [`${state} ${event} ${next}`];
    }),
  );
  expect(ways).toEqual([
    ...['offered accepted done', 'offered asked with_provider', 'offered withdrawn withdrawn'],
    ...['offered expired expired', 'with_provider provider_accepted done', 'with_provider provider_refused refused'],
    'with_provider given_up refused',
  ]);
  const ends: TransferState[] = ['done', 'refused', 'withdrawn', 'expired'];
  for (const end of ends) expect(events.map((event) => nextTransferState(end, event))).toEqual(events.map(() => null));
});
