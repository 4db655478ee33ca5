import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ZoneClock } from '../zone_clock.ts';
import { TextPace, type PaceLimit } from './text_pace.ts';

const START = Date.UTC(2026, 0, 15, 12);
const limit = (more: Partial<PaceLimit> = {}): PaceLimit => ({
  texts_per_second_max: 10,
  texts_per_day_max: 1_000_000,
  time_zone: 'UTC',
  ...more,
});

const burst = (pace: TextPace, texts: number, of: PaceLimit, now_ms: number, account = 'a'): string[] =>
  Array.from({ length: texts }, () => pace.take(account, of, now_ms));
const taken = (verdicts: readonly string[]): number => verdicts.filter((one) => one === 'taken').length;

describe('the pace of an account', () => {
  it('lets a second’s worth through at once, and then as time passes', () => {
    const pace = new TextPace(new ZoneClock());
    expect(taken(burst(pace, 15, limit(), START))).toBe(10);
    expect(taken(burst(pace, 15, limit(), START + 300))).toBe(3);
    expect(taken(burst(pace, 15, limit(), START + 60_000))).toBe(10);
    expect(taken(burst(pace, 15, limit(), START, 'b'))).toBe(10);
  });

  it('lets nobody send where nothing is allowed', () => {
    const pace = new TextPace(new ZoneClock());
    expect(burst(pace, 1, limit({ texts_per_second_max: 0 }), START)).toEqual(['second']);
    expect(burst(pace, 1, limit({ texts_per_day_max: 0 }), START, 'b')).toEqual(['day']);
  });

  it('ends the day at midnight of the account', () => {
    const pace = new TextPace(new ZoneClock());
    const of = limit({ texts_per_day_max: 2, time_zone: 'Asia/Tokyo' });
    expect(burst(pace, 3, of, START)).toEqual(['taken', 'taken', 'day']);
    expect(burst(pace, 1, of, Date.UTC(2026, 0, 15, 14, 59))).toEqual(['day']);
    expect(burst(pace, 1, of, Date.UTC(2026, 0, 15, 15, 0))).toEqual(['taken']);
  });

  it('is never above the limit over any time, but for the first second', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.integer({ min: -50, max: 400 }), { minLength: 1, maxLength: 300 }),
        (texts_per_second_max, pauses_ms) => {
          const pace = new TextPace(new ZoneClock());
          let now_ms = START;
          let passed_ms = 0;
          let count = 0;
          for (const pause_ms of pauses_ms) {
            now_ms += pause_ms;
            passed_ms += Math.max(0, pause_ms);
            count += taken(burst(pace, 5, limit({ texts_per_second_max }), now_ms));
            expect(count).toBeLessThanOrEqual(texts_per_second_max * (1 + passed_ms / 1000) + 1e-6);
          }
        },
      ),
    );
  });

  it('forgets who sent nothing for a day', () => {
    const pace = new TextPace(new ZoneClock());
    burst(pace, 1, limit(), START);
    pace.sweep(START + 86_400_000);
    expect(pace.size).toBe(1);
    pace.sweep(START + 86_400_001);
    expect(pace.size).toBe(0);
  });
});

/** What Redis does, and every gateway is told in each turn. */
function share(paces: readonly TextPace[], totals: Map<string, number>, now_ms: number): void {
  for (const pace of paces) {
    for (const report of pace.reports(now_ms)) {
      const total = (totals.get(report.account_id) ?? 0) + report.taken;
      totals.set(report.account_id, total);
      pace.learn(report, total);
    }
  }
}

describe('gateways that share a limit', () => {
  it('keep it together: above it by no more than what they take between two turns', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 5, max: 100 }),
        fc.integer({ min: 2, max: 4 }),
        (texts_per_second_max, gateways) => {
          const paces = Array.from({ length: gateways }, () => new TextPace(new ZoneClock()));
          const totals = new Map<string, number>();
          let count = 0;
          for (let turn = 0; turn < 100; turn += 1) {
            const now_ms = START + turn * 100;
            for (const pace of paces)
              count += taken(burst(pace, texts_per_second_max, limit({ texts_per_second_max }), now_ms));
            share(paces, totals, now_ms);
          }
          // Each begins with a bucket of its own; from then on all pay for what any of them took.
          expect(count).toBeLessThanOrEqual(texts_per_second_max * (10 + gateways + 1));
          expect(count).toBeGreaterThanOrEqual(texts_per_second_max * 5);
        },
      ),
      { numRuns: 30 },
    );
  });

  it('lose nothing but the others’ latest texts when what they share is emptied', () => {
    const [one, other] = [new TextPace(new ZoneClock()), new TextPace(new ZoneClock())];
    const totals = new Map<string, number>();
    burst(one, 5, limit(), START);
    burst(other, 5, limit(), START);
    share([one, other], totals, START);
    totals.clear();
    burst(one, 1, limit(), START + 100);
    share([one, other], totals, START + 100);
    expect(taken(burst(one, 20, limit(), START + 1_000))).toBe(10);
  });

  it('tell a day’s texts later where they cannot be told now', () => {
    const pace = new TextPace(new ZoneClock());
    burst(pace, 3, limit(), START);
    for (const report of pace.dayReports()) pace.dayUntold(report);
    burst(pace, 2, limit(), START);
    const [report] = pace.dayReports();
    expect(report).toEqual({ account_id: 'a', day: '2026-01-15', taken: 5 });
    if (report !== undefined) pace.learnDay(report, 1_000);
    expect(burst(pace, 1, limit({ texts_per_day_max: 1_000 }), START)).toEqual(['day']);
  });
});
