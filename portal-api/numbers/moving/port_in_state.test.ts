import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { missingKinds, nextPortInState, PORT_IN_DOCUMENTS, PORT_IN_STATES } from './port_in_state.ts';
import type { PortInEvent, PortInState } from './port_in_state.ts';

const EVENTS = [
  ...(['documents_missing', 'documents_there', 'documents_refused', 'rejected', 'scheduled', 'completed'] as const),
  'cancelled' as const,
];

/** Where a course of events leads. */
function course(events: readonly PortInEvent[]): PortInState[] {
  const states: PortInState[] = ['requested'];
  for (const event of events)
    states.push(nextPortInState(states.at(-1) ?? 'requested', event) ?? states.at(-1) ?? 'requested');
  return states;
}

describe('a number that comes from another operator', () => {
  it('is completed by no course of events but one that had its documents and a day', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom(...EVENTS), { maxLength: 12 }), (events) => {
        const states = course(events);
        const end = states.indexOf('completed');
        if (end < 0) return;
        expect(states[end - 1]).toBe('scheduled');
        expect(states.slice(0, end)).toContain('submitted');
        expect(new Set(states.slice(end))).toEqual(new Set(['completed']));
      }),
      { numRuns: 5_000 },
    );
    expect(course(['documents_missing', 'documents_there', 'scheduled', 'scheduled', 'completed']).at(-1)).toBe(
      'completed',
    );
  });

  it('can be cancelled until it is at its end, and rejected once somebody has asked for something', () => {
    const may = (event: PortInEvent): PortInState[] =>
      PORT_IN_STATES.filter((one) => nextPortInState(one, event) !== null);
    expect(may('cancelled')).toEqual(['requested', 'documents_missing', 'submitted', 'scheduled']);
    expect(may('rejected')).toEqual(['documents_missing', 'submitted', 'scheduled']);
    expect(may('completed')).toEqual(['scheduled']);
  });

  it('misses what is needed and not there, or was refused', () => {
    const there = (kind: (typeof PORT_IN_DOCUMENTS)[number], refused = false) => ({
      ...{ kind, refused_at: refused ? new Date(0) : null },
    });
    expect(missingKinds(PORT_IN_DOCUMENTS, [])).toEqual(PORT_IN_DOCUMENTS);
    expect(missingKinds(['identity'], [there('latest_bill')])).toEqual(['identity']);
    expect(missingKinds(['identity'], [there('identity', true)])).toEqual(['identity']);
    expect(missingKinds(['identity'], [there('identity', true), there('identity')])).toEqual([]);
    expect(missingKinds([], [])).toEqual([]);
  });
});
