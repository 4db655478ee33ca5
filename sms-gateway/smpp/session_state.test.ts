import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { admission, maySend, sessionTransition } from './session_state.ts';
import type { BindMode, SessionEffect, SessionEvent, SessionState } from './session_state.ts';
import { STATUS } from './status.ts';

const event: fc.Arbitrary<SessionEvent> = fc.oneof(
  fc.record({ type: fc.constant('bound' as const), mode: fc.constantFrom<BindMode>('tx', 'rx', 'trx') }),
  fc.record({ type: fc.constant('unbind_received' as const), sequence_number: fc.integer({ min: 1, max: 9 }) }),
  fc.record({
    type: fc.constantFrom('stop' as const, 'unbind_answered' as const, 'answered' as const, 'time_over' as const),
  }),
);
const load = fc.record({ in_flight: fc.nat(2), owed: fc.nat(2) });

describe('the life of a session', () => {
  it('ends the connection at most once, unbinds at most once, and answers each unbind before that', () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(event, load), { maxLength: 30 }), (events) => {
        let state: SessionState = { phase: 'open' };
        const effects: SessionEffect[] = [];
        for (const [one, current] of events) {
          const step = sessionTransition(state, one, current);
          state = step.state;
          effects.push(...step.effects);
        }
        const kinds = effects.map(({ type }) => type);
        expect(kinds.filter((type) => type === 'end').length).toBeLessThanOrEqual(1);
        expect(kinds.filter((type) => type === 'send_unbind').length).toBeLessThanOrEqual(1);
        if (kinds.includes('end')) expect(kinds.at(-1)).toBe('end');
        expect(kinds.includes('end')).toBe(state.phase === 'unbound');
      }),
    );
  });

  it('comes to its end from wherever it is when time is over again and again', () => {
    const busy = { in_flight: 1, owed: 1 };
    fc.assert(
      fc.property(fc.array(fc.tuple(event, load), { maxLength: 10 }), (events) => {
        let state: SessionState = { phase: 'open' };
        for (const [one, current] of events) state = sessionTransition(state, one, current).state;
        state = sessionTransition(state, { type: 'stop' }, busy).state;
        for (let turn = 0; turn < 3; turn += 1) state = sessionTransition(state, { type: 'time_over' }, busy).state;
        expect(state.phase).toBe('unbound');
      }),
    );
  });

  it('keeps the first reason of its close', () => {
    const closed = sessionTransition(
      { phase: 'open' },
      { type: 'closed', reason: { kind: 'inactive' } },
      { in_flight: 0, owed: 0 },
    );
    const again = sessionTransition(
      closed.state,
      { type: 'closed', reason: { kind: 'closed_by_us' } },
      { in_flight: 0, owed: 0 },
    );
    expect(again.state).toEqual({ phase: 'closed', reason: { kind: 'inactive' } });
  });
});

describe('table 2-1 of SMPP 3.4', () => {
  it.each<['esme' | 'smsc', Parameters<typeof maySend>[1], string]>([
    ['esme', 'submit_sm', 'tx trx'],
    ['esme', 'submit_multi', 'tx trx'],
    ['esme', 'data_sm', 'tx trx'],
    ['smsc', 'data_sm', 'rx trx'],
    ['smsc', 'deliver_sm', 'rx trx'],
    ['esme', 'deliver_sm', ''],
    ['smsc', 'submit_sm', ''],
    ['esme', 'query_sm', 'tx trx'],
    ['esme', 'cancel_sm', 'tx trx'],
    ['esme', 'replace_sm', 'tx trx'],
    ['smsc', 'alert_notification', 'rx trx'],
    ['esme', 'unbind', 'tx rx trx'],
    ['smsc', 'unbind', 'tx rx trx'],
    ['smsc', 'enquire_link', 'tx rx trx'],
  ])('lets an %s send %s when bound as: %s', (sender, command, modes) => {
    const allowed = (['tx', 'rx', 'trx'] as const).filter((mode) => maySend(sender, command, mode));
    expect(allowed.join(' ')).toBe(modes);
  });

  it('refuses what comes while the session ends', () => {
    const unbinding: SessionState = { phase: 'unbinding', mode: 'trx', answered: false };
    expect(admission('smsc', 'submit_sm', unbinding)).toBe(STATUS.ESME_RINVBNDSTS);
    expect(admission('smsc', 'unbind', unbinding)).toBe(STATUS.ESME_ROK);
    expect(admission('smsc', 'submit_sm', { phase: 'draining', mode: 'trx' })).toBe(STATUS.ESME_ROK);
  });
});
