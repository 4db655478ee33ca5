import { describe, expect, it } from 'vitest';
import type { AttemptFailure } from '../switch/switch.ts';
import { judgeFailure } from './blame.ts';
import type { Verdict } from './blame.ts';
import { causes } from './refusal.ts';

const failure = (wishes: Partial<AttemptFailure>): AttemptFailure => ({
  ...{ cause: 0, sip_status: null, responded: true, unreachable: false, timed_out: false },
  ...wishes,
});
const said = (sip_status: number, cause = 0): AttemptFailure => failure({ sip_status, cause });

const verdict = (
  blame: Verdict['blame'],
  result: Verdict['result'],
  cause: keyof typeof causes,
  may_fail_over: boolean,
): Verdict => ({ blame, result, cause: causes[cause], may_fail_over });

const not_answered = verdict('callee', 'no_answer', 'no_answer', false);
const next_carrier = verdict('carrier', 'failed', 'no_circuit', true);

/** The same whether the phone rang before or not. */
const alwaysSo: [string, AttemptFailure, Verdict][] = [
  ['our own ringing timeout', failure({ timed_out: true }), not_answered],
  ['our timeout, whatever the cancelled carrier says', failure({ timed_out: true, sip_status: 503 }), not_answered],
  ['nothing to be reached', failure({ unreachable: true, responded: false }), next_carrier],
  ['404', said(404), verdict('callee', 'failed', 'unallocated', false)],
  ['404 for want of a route (Q.850 3)', said(404, 3), next_carrier],
  ['404 with the cause of an unallocated number', said(404, 1), verdict('callee', 'failed', 'unallocated', false)],
  ['410', said(410), verdict('callee', 'failed', 'unallocated', false)],
  ['484', said(484), verdict('caller', 'failed', 'invalid_number', false)],
  ['486', said(486), verdict('callee', 'busy', 'busy', false)],
  ['600', said(600), verdict('callee', 'busy', 'busy', false)],
  ['603', said(603), verdict('callee', 'failed', 'rejected', false)],
  ['604', said(604), verdict('callee', 'failed', 'unallocated', false)],
  ...[401, 402, 403, 407, 482, 483, 488, 500, 501, 502, 503, 580].map((status): [string, AttemptFailure, Verdict] => [
    String(status),
    said(status),
    next_carrier,
  ]),
  ['no response at all', failure({ responded: false }), verdict('carrier', 'failed', 'temporary_failure', true)],
  ['a provisional response and no more', failure({}), verdict('carrier', 'failed', 'temporary_failure', false)],
];

describe.each([false, true])('an attempt that failed (the phone rang: %s)', (rang) => {
  it.each(alwaysSo)('by %s', (_what, failed, expected) => {
    expect(judgeFailure(failed, rang)).toEqual(expected);
  });
});

describe('a status by which somebody gave up waiting', () => {
  it.each([
    [408, next_carrier],
    [504, next_carrier],
    [480, verdict('callee', 'no_answer', 'absent', false)],
    [487, verdict('caller', 'cancelled', 'normal', false)],
  ])('%i speaks of what was waited for before it rang', (status, expected) => {
    expect(judgeFailure(said(status), false)).toEqual(expected);
  });

  it.each([408, 480, 487, 504])('%i is the callee’s no answer once it rang, and rings nowhere else', (status) => {
    expect(judgeFailure(said(status), true)).toEqual(not_answered);
  });
});
