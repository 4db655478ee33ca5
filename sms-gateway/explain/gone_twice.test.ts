import { describe, expect, it } from 'vitest';
import { goneTwice } from './gone_twice.ts';
import { event, ofAlpha, taken } from './testing/sample_text.ts';

const silence = ofAlpha('in_doubt', 10);
const again = taken(1, 20, { attempt: 2 });

describe('a text that may have gone twice', () => {
  it('was taken once, and nobody knows of another try', () => {
    expect(goneTwice([silence, again], 1)).toEqual([{ part_no: 1, is_certain: false }]);
    const two_doubts = [silence, ofAlpha('in_doubt', 30, { attempt: 2 })];
    expect(goneTwice(two_doubts, 1)).toEqual([{ part_no: 1, is_certain: false }]);
  });

  it('has gone twice once the late answer says so', () => {
    expect(goneTwice([silence, again, taken(1, 30)], 1)).toEqual([{ part_no: 1, is_certain: true }]);
  });

  it('has not where the late answer is a refusal, or nothing was sent again', () => {
    expect(goneTwice([silence, again, ofAlpha('refused', 30)], 1)).toEqual([]);
    expect(goneTwice([silence], 1)).toEqual([]);
    expect(goneTwice([taken(1, 5), taken(2, 6)], 2)).toEqual([]);
  });

  it('stays in doubt whatever another bind said, or the same one before', () => {
    const elsewhere = ofAlpha('refused', 30, { bind_id: 'alpha-2' });
    const before = ofAlpha('throttled', 5);
    expect(goneTwice([before, silence, elsewhere, again], 1)).toEqual([{ part_no: 1, is_certain: false }]);
  });

  it('is each part that was not known to be taken when a gateway ended', () => {
    const ended = event('in_doubt', 10, { part_no: 0 });
    const events = [taken(1, 5), ended, taken(2, 20, { attempt: 2 })];
    expect(goneTwice(events, 2)).toEqual([{ part_no: 2, is_certain: false }]);
  });
});
