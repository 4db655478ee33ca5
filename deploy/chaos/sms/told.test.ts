import { expect, it } from 'vitest';
import { judgeTold } from './told.ts';
import type { Heard } from './told.ts';

const all: Heard = {
  accepted: [{ message_id: 'a' }, { message_id: 'b' }],
  stored: new Map([
    ['a', { state: 'delivered' }],
    ['b', { state: 'in_doubt' }],
  ]),
  ...{ told: new Set(['a']), arrivals: ['hello'], heard: new Set(['hello']) },
};

it('whoever binds has a receipt of each text that does not wait for a person, and each text that came for him', () => {
  const verdict = { smpp_accepted: 2, receipts_untold: 0, arrivals_untold: 0 };
  expect(judgeTold(all)).toEqual({ verdict, faults: [], passed: true });
  const untold = judgeTold({ ...all, told: new Set(['b']) });
  expect([untold.verdict.receipts_untold, untold.faults.length, untold.passed]).toEqual([1, 1, false]);
  const unheard = judgeTold({ ...all, heard: new Set() });
  expect([unheard.verdict.arrivals_untold, unheard.faults.length, unheard.passed]).toEqual([1, 1, false]);
  expect(judgeTold({ ...all, arrivals: [] }).passed).toBe(false);
  const lost = judgeTold({ ...all, stored: new Map([['a', { state: 'submitted' }]]) });
  expect([lost.verdict.receipts_untold, lost.passed]).toEqual([2, false]);
  expect(judgeTold({ ...all, accepted: [] }).passed).toBe(false);
});
