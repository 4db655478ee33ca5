import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ClaimedMessage } from '../../domain/texts/queue.ts';
import type { PartResult } from '../carriers/part_result.ts';
import { STATUS } from '../smpp/status.ts';
import { beginSending, nextPart, partAnswered, partLeft, retryInMs, segmentsLeft, UNANSWERED_MAX } from './sending.ts';
import type { Sending } from './sending.ts';

function claimed(more: Partial<ClaimedMessage> = {}): ClaimedMessage {
  return {
    ...{ message_id: 'm', account_id: 'a', sender: '+4930123', recipient: '+447700900123', body: 'Hello' },
    ...{ encoding: 'gsm7', segments: 1, on_doubt: 'resend', priority: 1, attempt: 1, parts_submitted: [], sale: null },
    ...{ wanted_at_ms: 0, valid_until_ms: 86_400_000, is_unwanted: false },
    ...more,
  };
}

const TAKEN: PartResult = { kind: 'taken', carrier_message_id: '1' };
const SILENCE: PartResult = { kind: 'unanswered', why: 'timeout' };
const refused = (status: number): PartResult => ({ kind: 'refused', status });

/** Sends the next part to that carrier, which answers so. */
function answered(sending: Sending, carrier_id: number, result: PartResult) {
  const part_no = nextPart(sending);
  if (part_no === null) throw new Error('no part is left');
  return partAnswered(partLeft(sending, part_no), part_no, carrier_id, result);
}

describe('a text of one part', () => {
  it('is done when it was taken', () => {
    expect(answered(beginSending(claimed()), 1, TAKEN)).toMatchObject({
      verdict: 'done',
      sending: { places: ['taken'] },
    });
  });

  it('goes on to others when it was refused, and never again to who refused it', () => {
    const { sending, verdict } = answered(beginSending(claimed()), 7, refused(STATUS.ESME_RINVSRCADR));
    expect(verdict).toBe('again');
    expect(sending).toMatchObject({ refused_by: [7], may_be_wanted_later: false, last_status: STATUS.ESME_RINVSRCADR });
    expect(answered(sending, 8, refused(STATUS.ESME_RINVSRCADR)).sending.refused_by).toEqual([7, 8]);
  });

  it('is worth waiting for where one carrier could not take it for the moment', () => {
    const { sending } = answered(beginSending(claimed()), 7, refused(STATUS.ESME_RSYSERR));
    expect(sending.may_be_wanted_later).toBe(true);
    expect(answered(sending, 8, refused(STATUS.ESME_RINVSRCADR)).sending.may_be_wanted_later).toBe(true);
  });

  it('has no hope where the refusal is about itself', () => {
    expect(answered(beginSending(claimed()), 7, refused(STATUS.ESME_RINVDSTADR)).verdict).toBe('hopeless');
  });

  it('without an answer goes again as another attempt, or is held, as its sender wished', () => {
    expect(answered(beginSending(claimed()), 1, SILENCE)).toMatchObject({ verdict: 'again', sending: { attempt: 2 } });
    expect(answered(beginSending(claimed({ on_doubt: 'hold' })), 1, SILENCE)).toMatchObject({
      verdict: 'doubt',
      sending: { attempt: 1, places: ['doubted'] },
    });
  });

  it('that was never sent or throttled is as it was', () => {
    for (const result of [{ kind: 'unsent' }, { kind: 'throttled', status: STATUS.ESME_RTHROTTLED }] as const) {
      expect(answered(beginSending(claimed()), 1, result)).toMatchObject({
        verdict: 'again',
        sending: { attempt: 1, places: ['left'], refused_by: [] },
      });
    }
  });
});

describe('a text of several parts', () => {
  it('leaves out those that were taken before', () => {
    const sending = beginSending(claimed({ segments: 3, parts_submitted: [1, 3] }));
    expect([nextPart(sending), segmentsLeft(sending)]).toEqual([2, 1]);
    expect(answered(sending, 1, TAKEN).verdict).toBe('done');
  });

  it('in any order of answers ends done only with every part taken, in doubt only where doubt means hold', () => {
    const result = fc.constantFrom<PartResult>(
      ...[TAKEN, SILENCE, { kind: 'unsent' } as const],
      ...[STATUS.ESME_RSYSERR, STATUS.ESME_RINVDSTADR, STATUS.ESME_RINVSRCADR].map(refused),
      { kind: 'throttled', status: STATUS.ESME_RTHROTTLED },
    );
    const step = fc.record({
      submit: fc.boolean(),
      which: fc.nat(10),
      result,
      carrier_id: fc.integer({ min: 1, max: 3 }),
    });
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.constantFrom('resend' as const, 'hold' as const),
        fc.array(step, { maxLength: 40 }),
        (segments, on_doubt, steps) => {
          let sending = beginSending(claimed({ segments, on_doubt }));
          let out: number[] = [];
          const taken = new Set<number>();
          for (const one of steps) {
            const next = nextPart(sending);
            if (one.submit && next !== null) {
              sending = partLeft(sending, next);
              out.push(next);
              continue;
            }
            const part_no = out[one.which % Math.max(1, out.length)];
            if (part_no === undefined) continue;
            out = out.filter((no) => no !== part_no);
            const before = sending.attempt;
            const after = partAnswered(sending, part_no, one.carrier_id, one.result);
            sending = after.sending;
            if (one.result.kind === 'taken') taken.add(part_no);
            // A part is never taken back, and no part goes twice that nobody doubted.
            for (const no of taken) expect(sending.places[no - 1]).toBe('taken');
            const is_doubted = sending.places[part_no - 1] === 'doubted';
            expect(sending.attempt - before).toBe(one.result.kind === 'unanswered' && !is_doubted ? 1 : 0);
            if (is_doubted && on_doubt === 'resend')
              expect(sending.feared.filter((no) => no === part_no)).toHaveLength(UNANSWERED_MAX);
            expect(after.verdict === 'outstanding').toBe(out.length > 0);
            expect(after.verdict === 'done').toBe(taken.size === segments);
            expect(segmentsLeft(sending) + out.length + taken.size).toBeLessThanOrEqual(segments);
            if (after.verdict === 'done' || after.verdict === 'doubt' || after.verdict === 'hopeless') return;
          }
        },
      ),
      { numRuns: 2_000 },
    );
  });
});

describe('what every carrier refused, one of them for the moment', () => {
  it('waits half as long as it was tried for, seconds at first and ten minutes at most', () => {
    const sending = beginSending(claimed({ wanted_at_ms: 1_000_000 }));
    const waits = [0, 1_000, 20_000, 60_000, 3_600_000, 86_400_000].map((age_ms) =>
      retryInMs(sending, 1_000_000 + age_ms),
    );
    expect(waits).toEqual([5_000, 5_000, 10_000, 30_000, 600_000, 600_000]);
  });
});
