import { describe, expect, it } from 'vitest';
import { judge, passed } from './verdict.ts';
import type { SmsEvidence, StoredText } from './verdict.ts';
import type { AcceptedText } from './writers.ts';

const text = (more: Partial<AcceptedText> = {}): AcceptedText => ({
  ...{ message_id: 'm', tag: 't', on_doubt: 'resend', segments: 1, charged_micros: 40n },
  ...more,
});

const stored = (more: Partial<StoredText> = {}): StoredText => ({
  ...{ message_id: 'm', state: 'delivered', is_flagged: false, charged_micros: 40n },
  ...more,
});

function evidence(more: Partial<SmsEvidence> = {}, one: StoredText | null = stored()): SmsEvidence {
  return {
    ...{ kills: 1, accepted: [text()], taken: [{ tag: 't', part: 1 }], receipts_acknowledged: 1, receipts_stored: 1 },
    stored: new Map(one === null ? [] : [[one.message_id, one]]),
    broken_invariants: [],
    ...more,
  };
}

describe('the verdict on a chaos run of texts', () => {
  it('passes what went once and is known to have arrived', () => {
    expect(passed(judge(evidence()))).toBe(true);
  });

  it('calls lost what is not stored, what still waits, and what no carrier has', () => {
    for (const broken of [
      evidence({}, null),
      evidence({}, stored({ state: 'queued' })),
      evidence({ taken: [] }),
      evidence({ accepted: [text({ segments: 2 })] }),
    ]) {
      expect(judge(broken).verdict.lost).toBe(1);
      expect(passed(judge(broken))).toBe(false);
    }
  });

  it('counts what went twice as flagged only where the text says so, and never forgives it where doubt meant hold', () => {
    const twice = [1, 1].map((part) => ({ tag: 't', part }));
    expect(judge(evidence({ taken: twice })).verdict).toMatchObject({ duplicates_flagged: 0, duplicates_unflagged: 1 });
    const flagged = evidence({ taken: twice }, stored({ is_flagged: true }));
    expect(judge(flagged).verdict).toMatchObject({ duplicates_flagged: 1, duplicates_unflagged: 0 });
    expect(passed(judge(flagged))).toBe(true);
    const held = judge({ ...flagged, accepted: [text({ on_doubt: 'hold' })] });
    expect(held.verdict.held_sent_twice).toBe(1);
    expect(passed(held)).toBe(false);
  });

  it('fails for a receipt that is missing, a charge that differs, books that are wrong, and a run in which nothing happened', () => {
    for (const broken of [
      evidence({ receipts_stored: 0 }),
      evidence({}, stored({ charged_micros: 41n })),
      evidence({ broken_invariants: ['BROKEN'] }),
      evidence({ accepted: [] }),
    ]) {
      expect(passed(judge(broken))).toBe(false);
    }
  });

  it('leaves to a person what waits for one', () => {
    for (const state of ['in_doubt', 'held']) {
      const waiting = judge(evidence({ taken: [] }, stored({ state })));
      expect(waiting.verdict).toMatchObject({ lost: 0, held: 1 });
    }
  });
});
