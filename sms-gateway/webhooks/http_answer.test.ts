import { describe, expect, it } from 'vitest';
import { freshPace, isFresh, paceAfterFailure, paceAfterSuccess, roomNow } from './endpoint_pace.ts';
import { judgeAnswer } from './http_answer.ts';
import { RETRY_DELAYS_MS, retryDelayMs } from './retry_schedule.ts';

const now = new Date('2026-01-15T12:00:00Z');
const judge = (status: number, retry_after: string | null = null) =>
  judgeAnswer({ kind: 'answered', status, retry_after }, now);

describe('an answer', () => {
  it('of 2xx is a delivery, 410 the end, and everything else a failure', () => {
    for (const status of [200, 201, 202, 204, 299]) expect(judge(status)).toEqual({ kind: 'delivered' });
    expect(judge(410)).toEqual({ kind: 'gone' });
    for (const status of [100, 301, 302, 307, 308, 400, 401, 404, 429, 500, 502, 503]) {
      expect(judge(status)).toMatchObject({
        kind: 'failed',
        reason: status >= 300 && status < 400 ? 'redirect' : 'status',
      });
    }
  });

  it('may ask for a wait, in seconds or until a date, of a day at most', () => {
    const wait = (status: number, retry_after: string) => judge(status, retry_after);
    expect(wait(429, '120')).toMatchObject({ retry_after_ms: 120_000 });
    expect(wait(503, 'Thu, 15 Jan 2026 12:01:00 GMT')).toMatchObject({ retry_after_ms: 60_000 });
    expect(wait(503, 'Thu, 15 Jan 2026 11:00:00 GMT')).toMatchObject({ retry_after_ms: 0 });
    expect(wait(429, '99999999999')).toMatchObject({ retry_after_ms: 86_400_000 });
    for (const [status, asked] of [
      [429, 'soon'],
      [429, ''],
      [500, '120'],
    ] as const) {
      expect(wait(status, asked)).toMatchObject({ retry_after_ms: null });
    }
  });
});

describe('a failure', () => {
  it('is followed by nine more attempts over three days, each later than the one before by chance', () => {
    const delays = RETRY_DELAYS_MS.map((_, n) => retryDelayMs(n + 1, null, () => 0));
    expect(delays).toEqual(RETRY_DELAYS_MS);
    expect(RETRY_DELAYS_MS.reduce((sum, ms) => sum + ms, 0)).toBe((75 * 3600 + 35 * 60 + 5) * 1000);
    expect(retryDelayMs(1, null, () => 0.999999)).toBe(5500);
    expect(retryDelayMs(10, null, () => 0)).toBeNull();
  });

  it('waits as long as it is asked to, never less than its turn, and does not outlive its turns', () => {
    expect(retryDelayMs(1, 60_000, () => 0)).toBe(60_000);
    expect(retryDelayMs(2, 1000, () => 0)).toBe(300_000);
    expect(retryDelayMs(10, 60_000, () => 0)).toBeNull();
  });
});

describe('the room of an endpoint', () => {
  it('is one after a failure, and grows by one with each success', () => {
    let pace = paceAfterFailure(freshPace(4), null, 1000);
    expect(roomNow(pace, 1000)).toBe(1);
    for (const room of [2, 3, 4, 4]) {
      pace = paceAfterSuccess(pace, 4);
      expect(roomNow(pace, 1000)).toBe(room);
    }
    expect(isFresh(pace, 4, 1000)).toBe(true);
  });

  it('is none for as long as it asked for, whatever comes of what was under way', () => {
    let pace = paceAfterFailure(freshPace(4), 60_000, 1000);
    pace = paceAfterSuccess(paceAfterFailure(pace, 1000, 2000), 4);
    expect([roomNow(pace, 60_999), roomNow(pace, 61_000)]).toEqual([0, 2]);
    expect(isFresh(pace, 2, 60_999)).toBe(false);
  });
});
