import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { MessageClass } from '../../../domain/texts/message.ts';
import type { StoredText } from '../../chaos/sms/verdict.ts';
import { largestSecond } from './largest_second.ts';
import { orderOf } from './order.ts';
import { judgeBacklog } from './verdict.ts';
import type { BacklogFindings } from './verdict.ts';

const CLASSES: readonly MessageClass[] = ['code', 'normal', 'bulk'];

/** As many texts as there are classes named, taken in that order, a hundred a second. */
function findings(
  classes: readonly MessageClass[],
  more: Partial<BacklogFindings> = {},
  stored: Partial<StoredText> = {},
): BacklogFindings {
  const ids = classes.map((_, n) => `m${n}`);
  return {
    texts: classes.length,
    evidence: {
      kills: 1,
      accepted: ids.map((id) => ({
        ...{ message_id: id, tag: id, on_doubt: 'resend', segments: 1, charged_micros: 40n },
      })),
      taken: ids.map((tag) => ({ tag, part: 1 })),
      stored: new Map(
        ids.map((message_id) => [
          message_id,
          { message_id, state: 'delivered', is_flagged: false, charged_micros: 40n, ...stored },
        ]),
      ),
      ...{ receipts_acknowledged: ids.length, receipts_stored: ids.length, broken_invariants: [] },
    },
    class_of: new Map(ids.map((id, n) => [id, classes[n] ?? 'normal'])),
    opened_at_ms: 1_000_000,
    takings: ids.map((tag, n) => ({ tag, at_ms: 1_000_000 + (n + 1) * 10 })),
    ...{ pause_ms_max: 0, per_second_max: 100, lane_texts_max: 10, rss_mb: [180.4, 220.6, 210], mishaps: [] },
    ...more,
  };
}

const sorted = CLASSES.flatMap((of) => new Array<MessageClass>(100).fill(of));

describe('the verdict on a backlog', () => {
  it('passes what came once, in the order of urgency and at the rate of the bind', () => {
    const { verdict, has_passed } = judgeBacklog(findings(sorted));
    expect(has_passed).toBe(true);
    expect(verdict).toEqual({
      ...{ texts: 300, lost: 0, sent_twice_unflagged: 0, duplicates_flagged: 0, receipts_missing: 0 },
      out_of_order: { code: 0, normal: 0, distance_max: 0 },
      ...{ largest_second: 100, per_second_max: 100, carrier_pause_ms_max: 0 },
      ...{ rss_mb_max: 221, drain_s: 3, ledger_balanced: true },
    });
  });

  it('forgives as many texts out of order as a lane has in memory, and no more', () => {
    const bulk = new Array<MessageClass>(10).fill('bulk');
    const forgiven = judgeBacklog(findings([...bulk, 'code', 'normal']));
    expect(forgiven.verdict.out_of_order).toEqual({ code: 1, normal: 1, distance_max: 10 });
    expect(forgiven.has_passed).toBe(true);
    const { faults, has_passed } = judgeBacklog(findings(['bulk', ...bulk, 'code', 'normal']));
    expect([has_passed, faults]).toEqual([false, [expect.stringMatching(/^OUT OF ORDER: 11 /u)]]);
  });

  it('looks at a text that went twice only when it went first', () => {
    const { takings, ...rest } = findings(sorted);
    const again = { tag: 'm0', at_ms: 1_009_000 };
    expect(judgeBacklog({ ...rest, takings: [...takings, again] }).verdict.out_of_order.code).toBe(0);
  });

  it('fails where the bind was sent more in a second than it may take, unless the carrier read it late', () => {
    const { takings, ...rest } = findings(sorted);
    // Nothing for 150 ms, and then all of it.
    const rushed = takings.map(({ tag, at_ms }, n) => ({ tag, at_ms: n >= 150 && n < 165 ? 1_001_650 : at_ms }));
    const { verdict, faults } = judgeBacklog({ ...rest, takings: rushed });
    expect([verdict.largest_second, faults]).toEqual([114, [expect.stringMatching(/^TOO FAST: 114 /u)]]);
    expect(judgeBacklog({ ...rest, takings: rushed, pause_ms_max: 160 }).has_passed).toBe(true);
  });

  it('fails where the bind was sent a little more all the time', () => {
    const { takings, ...rest } = findings(sorted);
    const hurried = takings.map(({ tag }, n) => ({ tag, at_ms: 1_000_000 + n * 9.6 }));
    const { verdict, faults } = judgeBacklog({ ...rest, takings: hurried });
    expect([verdict.largest_second, faults]).toEqual([105, [expect.stringMatching(/^TOO FAST: 300 /u)]]);
  });

  it('fails for a text that was lost, one without a receipt, one that is held, too few, a mishap and books that are wrong', () => {
    const good = findings(sorted);
    for (const bad of [
      findings(sorted, {}, { state: 'queued' }),
      findings(sorted, {}, { state: 'submitted' }),
      findings(sorted, {}, { state: 'held' }),
      { ...good, texts: 301 },
      { ...good, mishaps: ['Refused: 500'] },
      { ...good, evidence: { ...good.evidence, receipts_stored: 299 } },
      { ...good, evidence: { ...good.evidence, broken_invariants: ['BROKEN'] } },
    ]) {
      expect(judgeBacklog(bad).has_passed).toBe(false);
    }
    expect(judgeBacklog(findings(sorted, {}, { state: 'submitted' })).verdict.receipts_missing).toBe(300);
    expect(judgeBacklog(findings(sorted, {}, { state: 'queued' })).verdict.lost).toBe(300);
  });

  it('counts what went twice by whether it says so', () => {
    const good = findings(sorted);
    const taken = [...good.evidence.taken, { tag: 'm0', part: 1 }];
    const twice = judgeBacklog({ ...good, evidence: { ...good.evidence, taken } });
    expect([twice.has_passed, twice.verdict.sent_twice_unflagged]).toEqual([false, 1]);
    const said = findings(sorted, {}, { is_flagged: true });
    const flagged = judgeBacklog({ ...said, evidence: { ...said.evidence, taken } });
    expect([flagged.has_passed, flagged.verdict.duplicates_flagged]).toEqual([true, 1]);
  });
});

describe('the order of urgency', () => {
  it('is that of every pair', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(2), { maxLength: 60 }), (urgencies) => {
        const before = urgencies.map((urgency, n) => urgencies.slice(0, n).filter((other) => other > urgency).length);
        const { overtaken, distance_max } = orderOf(urgencies);
        expect(distance_max).toBe(Math.max(0, ...before));
        for (const urgency of [0, 1, 2]) {
          const count = before.filter((n, at) => n > 0 && urgencies[at] === urgency).length;
          expect(overtaken.get(urgency) ?? 0).toBe(count);
        }
      }),
    );
  });
});

describe('the largest second', () => {
  it('is the fullest of all, wherever it begins', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(5_000), { maxLength: 60 }), (at_ms) => {
        const full = at_ms.map((from) => at_ms.filter((at) => at >= from && at < from + 1_000).length);
        expect(largestSecond(at_ms)).toBe(Math.max(0, ...full));
      }),
    );
  });
});
