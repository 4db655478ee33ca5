import pino from 'pino';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Duties } from './duties.ts';

const INTERVAL_MS = 10_000;
let warned: unknown[] = [];
let duties: Duties;

beforeEach(() => {
  vi.useFakeTimers();
  warned = [];
  duties = new Duties(pino({ level: 'warn' }, { write: (line) => warned.push(JSON.parse(line)) }));
});

afterEach(() => {
  duties.stop();
  vi.useRealTimers();
});

/** When each of so many duties of one interval had its turns, within so long. */
async function turnsOf(count: number, within_ms: number): Promise<number[][]> {
  const began_ms = Date.now();
  const turns = Array.from({ length: count }, (): number[] => []);
  for (const one of turns)
    duties.every(INTERVAL_MS, () => {
      one.push(Date.now() - began_ms);
      return Promise.resolve();
    });
  await vi.advanceTimersByTimeAsync(within_ms);
  return turns;
}

describe('duties', () => {
  it('come again and again, no two of them in one moment', async () => {
    const turns = await turnsOf(12, 4 * INTERVAL_MS);
    for (const [first = Number.NaN, second, third] of turns) {
      expect(first).toBeGreaterThanOrEqual(INTERVAL_MS);
      expect(first).toBeLessThan(2 * INTERVAL_MS);
      expect([second, third]).toEqual([first + INTERVAL_MS, first + 2 * INTERVAL_MS]);
    }
    const begun = turns.map(([first = Number.NaN]) => first).toSorted((a, b) => a - b);
    const apart = begun.slice(1).map((at, n) => at - (begun[n] ?? Number.NaN));
    expect(Math.min(...apart)).toBeGreaterThanOrEqual(50);
  });

  it('are never under way twice, and come again after one that failed, which is told', async () => {
    let [begun, finish] = [0, (): void => undefined];
    duties.every(INTERVAL_MS, () => {
      begun += 1;
      return new Promise((resolve, reject) => {
        finish = begun === 1 ? () => reject(new Error('no luck')) : resolve;
      });
    });
    await vi.advanceTimersByTimeAsync(3 * INTERVAL_MS);
    expect([begun, warned]).toEqual([1, []]);
    finish();
    await vi.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(begun).toBe(2);
    expect(warned).toMatchObject([{ err: { message: 'no luck' } }]);
  });

  it.each([
    ['before their first turn', INTERVAL_MS / 2, 0],
    ['after it', 1.5 * INTERVAL_MS, 1],
  ])('come no more once they are stopped, %s', async (_, after_ms, count) => {
    const [turns = []] = await turnsOf(1, after_ms);
    duties.stop();
    await vi.advanceTimersByTimeAsync(5 * INTERVAL_MS);
    expect(turns).toHaveLength(count);
  });
});
