import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { CallEvent } from '../call/state.ts';
import { beginCalling, codeAfterStep } from './spoken_code.ts';
import type { SpokenCodeState } from './spoken_code.ts';

type Step = [event: CallEvent, phase: 'holding' | 'dialling' | 'over', rang?: true];

const failed = (
  sip_status: number | null,
  more: { timed_out?: boolean; responded?: boolean } = {},
): [CallEvent, 'dialling'] => [
  {
    type: 'attempt_failed',
    attempt: 1,
    failure: { cause: 0, sip_status, responded: true, unreachable: false, timed_out: false, ...more },
    at_ms: 0,
  },
  'dialling',
];
const answered: Step = [{ type: 'answered', b_channel_id: 'b', at_ms: 0 }, 'dialling'];
const ended: Step = [{ type: 'ended', cause: 16, at_ms: 0 }, 'dialling'];
const lost: Step = [{ type: 'bridged', reach: 'failed' }, 'dialling'];
const refused: Step = [{ type: 'hold_failed' }, 'over'];
const nothing: Step[] = [
  [{ type: 'hold_failed' }, 'holding'],
  [{ type: 'bridged', reach: 'done' }, 'dialling'],
  [{ type: 'ringing', at_ms: 0 }, 'dialling'],
];

const step = fc.constantFrom(
  ...[answered, ended, lost, refused, failed(503), failed(486), failed(404), failed(null, { responded: false })],
  ...[failed(null, { timed_out: true }), failed(null), ...nothing],
);

describe('a code that is spoken', () => {
  it('calls over each route once at most, one after the other, and ends once, whatever its calls go through', () => {
    fc.assert(
      fc.property(fc.nat(4), fc.array(step, { maxLength: 20 }), (routes, steps) => {
        let state = beginCalling(routes);
        let calls = state.phase === 'calling' ? 1 : 0;
        for (const [event, phase, rang = false] of steps) {
          const before: SpokenCodeState = state;
          state = codeAfterStep(state, event, { phase, rang });
          if (before.phase !== 'calling') expect(state).toBe(before);
          if (state !== before && state.phase === 'calling') {
            calls += 1;
            expect(event.type).toBe('attempt_failed');
            expect(state.route).toBe(before.phase === 'calling' ? before.route + 1 : -1);
          }
        }
        expect(calls).toBeLessThanOrEqual(routes);
      }),
    );
  });

  it.each([
    ['spoken once it was answered, whatever comes then', [answered, ended, failed(503)], { phase: 'spoken' }],
    ['busy over whichever route', [failed(503), failed(486)], { phase: 'failed', failure: 'busy' }],
    ['not answered', [failed(null, { timed_out: true })], { phase: 'failed', failure: 'no_answer' }],
    ['not answered by a phone that rang', [[...failed(408), true]], { phase: 'failed', failure: 'no_answer' }],
    ['out of routes', [failed(503), failed(503)], { phase: 'failed', failure: 'unreachable' }],
    ['told by its callee that there is no such number', [failed(404)], { phase: 'failed', failure: 'unreachable' }],
    ['perhaps made already', [lost], { phase: 'failed', failure: 'interrupted' }],
    ['refused a line', [refused], { phase: 'failed', failure: 'refused' }],
  ] satisfies [string, Step[], SpokenCodeState][])('is %s', (_what, steps, expected) => {
    const end = steps.reduce<SpokenCodeState>(
      (state, [event, phase, rang = false]) => codeAfterStep(state, event, { phase, rang }),
      beginCalling(2),
    );
    expect(end).toEqual(expected);
  });

  it('goes nowhere without a route', () => {
    expect(beginCalling(0)).toEqual({ phase: 'failed', failure: 'refused' });
  });
});
