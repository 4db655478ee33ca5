import { expect, it } from 'vitest';
import { DISPUTE_STATES, nextDisputeState } from './dispute_state.ts';
import type { DisputeEvent } from './dispute_state.ts';

const events: readonly DisputeEvent[] = ['uphold', 'send_back', 'reject', 'withdraw', 'lapse'];

it('a number is given away in two steps, taken back from that in one, and what is closed stays so', () => {
  const ways = DISPUTE_STATES.flatMap((state) =>
    events.flatMap((event) => {
      const next = nextDisputeState(state, event);
      return next === null ? [] : [`${state} ${event} ${next}`];
    }),
  );
  expect(ways).toEqual([
    ...['open uphold proposed', 'open reject rejected', 'open withdraw withdrawn', 'open lapse lapsed'],
    ...['proposed uphold upheld', 'proposed send_back open', 'proposed reject rejected'],
    ...['proposed withdraw withdrawn', 'proposed lapse lapsed'],
  ]);
});
