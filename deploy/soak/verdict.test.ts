import { describe, expect, it } from 'vitest';
import type { Held } from './memory/gateway_memory.ts';
import { judgeSoak } from './verdict.ts';
import type { SoakFindings } from './verdict.ts';

/** A second each of fifteen minutes, with garbage collected every ten. */
function held(more: (at_s: number) => Partial<Held> = () => ({})): Held[] {
  return Array.from({ length: 901 }, (_, at_s) => ({
    ...{
      at_s,
      rss_mb: 200 + (at_s % 10),
      heap_mb: 60 + (at_s % 10),
      external_mb: 8,
      fds: 80 + (at_s % 2),
      handles: 50,
    },
    ...more(at_s),
  }));
}

function findings(more: Partial<SoakFindings> = {}, state = 'delivered'): SoakFindings {
  const text = { message_id: 'm', tag: 't', on_doubt: 'resend', segments: 1, charged_micros: 40n } as const;
  return {
    ...{ minutes: 15, reconnects: 900, bound_accepted: ['m'], told: new Set(['m']) },
    ...{ incoming: ['Hello'], heard: new Set(['Hello']), mishaps: [], held: held() },
    evidence: {
      ...{ kills: 0, accepted: [text], taken: [{ tag: 't', part: 1 }], receipts_acknowledged: 1, receipts_stored: 1 },
      stored: new Map([['m', { message_id: 'm', state, is_flagged: false, charged_micros: 40n }]]),
      broken_invariants: [],
    },
    ...more,
  };
}

describe('the verdict on a soak', () => {
  it('passes where nothing was lost and nothing grew', () => {
    const { verdict, has_passed } = judgeSoak(findings());
    expect(has_passed).toBe(true);
    expect(verdict).toMatchObject({ texts: 1, lost: 0, rss_mb_first: 200, rss_mb_last: 200, is_flat: true });
  });

  it('fails where memory, objects or open files grow', () => {
    for (const growing of [
      held((at_s) => ({ rss_mb: 200 + at_s / 180 })),
      held((at_s) => ({ heap_mb: 60 + (at_s % 10) + at_s / 180 })),
      held((at_s) => ({ fds: 80 + Math.floor(at_s / 40) })),
    ]) {
      const { verdict, has_passed, faults } = judgeSoak(findings({ held: growing }));
      expect([verdict.is_flat, has_passed, faults.length]).toEqual([false, false, 1]);
    }
  });

  it('says nothing of growth after a few minutes', () => {
    const growing = held((at_s) => ({ rss_mb: 200 + at_s }));
    const { verdict, has_passed } = judgeSoak(findings({ minutes: 2, held: growing }));
    expect([verdict.is_flat, has_passed]).toEqual([null, true]);
  });

  it('counts as lost what has no receipt, a receipt that was not told, and a text that nobody heard', () => {
    for (const losing of [
      findings({}, 'submitted'),
      findings({ told: new Set() }),
      findings({ heard: new Set() }),
      findings({}, 'queued'),
    ]) {
      const { verdict, has_passed } = judgeSoak(losing);
      expect([verdict.lost, has_passed]).toEqual([1, false]);
    }
  });

  it('fails where hardly anything was cut, by the time that it ran', () => {
    for (const [minutes, least] of [
      [15, 720],
      [1, 48],
    ] as const) {
      expect(judgeSoak(findings({ minutes, reconnects: least })).has_passed).toBe(true);
      const { has_passed, faults } = judgeSoak(findings({ minutes, reconnects: least - 1 }));
      expect([has_passed, faults]).toEqual([
        false,
        [`TOO EASY: ${least - 1} connections were made anew, and not ${least}.`],
      ]);
    }
  });

  it('fails for a mishap on the way', () => {
    expect(judgeSoak(findings({ mishaps: ['Refused: 500'] })).has_passed).toBe(false);
  });
});
