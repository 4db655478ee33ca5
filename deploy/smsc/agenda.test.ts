import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Agenda } from './agenda.ts';

describe('the agenda', () => {
  beforeEach(() => {
    vi.useFakeTimers();
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  it('lets things happen when they are due, and those due together in the order they were asked for', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 }), { maxLength: 60 }), (delays_ms) => {
        const agenda = new Agenda();
        const happened: { delay_ms: number; n: number; after_ms: number }[] = [];
        const began_ms = performance.now();
        delays_ms.forEach((delay_ms, n) => {
          agenda.after(delay_ms, () => happened.push({ delay_ms, n, after_ms: performance.now() - began_ms }));
        });
        vi.advanceTimersByTime(25);
        const due = delays_ms.map((delay_ms, n) => ({ delay_ms, n, after_ms: delay_ms }));
        expect(happened).toEqual(due.sort((one, other) => one.delay_ms - other.delay_ms || one.n - other.n));
      }),
    );
  });

  it('takes in what is asked for while something happens, and nothing once it is closed', () => {
    const agenda = new Agenda();
    const happened: string[] = [];
    agenda.after(10, () => {
      happened.push('first');
      agenda.after(5, () => happened.push('second'));
      agenda.after(30, () => happened.push('never'));
    });
    vi.advanceTimersByTime(20);
    agenda.close();
    agenda.after(0, () => happened.push('never either'));
    vi.advanceTimersByTime(50);
    expect(happened).toEqual(['first', 'second']);
  });
});
