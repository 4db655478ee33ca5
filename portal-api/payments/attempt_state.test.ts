import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { hasSucceeded, next } from './attempt_state.ts';
import type { AttemptEvent, AttemptState } from './attempt_state.ts';

const events: readonly AttemptEvent[] = [
  ...(['pending', 'succeeded', 'failed', 'cancelled'] as const),
  ...(['dispute_open', 'dispute_won', 'dispute_lost'] as const),
];
const told = (sequence: readonly AttemptEvent[]): AttemptState =>
  sequence.reduce<AttemptState>((state, event) => next(state, event), 'created');

describe('a payment', () => {
  it('that succeeded has succeeded, whatever is told late', () => {
    expect(told(['pending', 'succeeded', 'pending', 'failed', 'cancelled'])).toBe('succeeded');
    expect(told(['failed', 'succeeded'])).toBe('succeeded');
    expect(told(['succeeded', 'dispute_open', 'succeeded'])).toBe('disputed');
    expect(told(['dispute_open', 'dispute_won'])).toBe('succeeded');
  });

  it('stands the same in whatever order what the provider says of one course comes', () => {
    fc.assert(
      fc.property(
        fc.shuffledSubarray<AttemptEvent>(['pending', 'succeeded', 'failed', 'pending'], { minLength: 4 }),
        (sequence) => {
          expect(told(sequence)).toBe('succeeded');
        },
      ),
    );
  });

  it('is the same when each is told twice in a row, and money that came stays', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...events)), fc.constantFrom(...events), (sequence, event) => {
        const once = told([...sequence, event]);
        expect(told([...sequence, event, event])).toBe(once);
        if (hasSucceeded(told(sequence))) expect(hasSucceeded(once)).toBe(true);
      }),
    );
  });
});
