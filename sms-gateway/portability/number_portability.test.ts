import pino from 'pino';
import { describe, expect, it } from 'vitest';
import type { E164 } from '../../domain/numbers/e164.ts';
import { NumberPortability, type NumberPortabilityOptions } from './number_portability.ts';

const A = '+4915111111111' as E164;
const B = '+4915122222222' as E164;
const C = '+4915133333333' as E164;
const AWAY = '+491600' as E164;

interface Desk {
  portability: NumberPortability;
  asked: string[];
  looked_up: string[];
  /** Answers the oldest question that is open. */
  answer: (routing_number: E164 | null | Error) => Promise<void>;
  now_ms: number;
}

function desk(more: Partial<NumberPortabilityOptions> = {}): Desk {
  const open: { resolve: (number: E164 | null) => void; reject: (error: Error) => void }[] = [];
  const made: Desk = {
    ...{ asked: [], looked_up: [], now_ms: 0 },
    answer: async (routing_number) => {
      const question = open.shift();
      if (question === undefined) throw new Error('Nothing is asked.');
      if (routing_number instanceof Error) question.reject(routing_number);
      else question.resolve(routing_number);
      // What waits for the answer hears of it before whoever gave it goes on.
      await new Promise((resolve) => setImmediate(resolve));
    },
    portability: new NumberPortability({
      source: {
        lookUp: (number) => {
          made.looked_up.push(number);
          return new Promise((resolve, reject) => open.push({ resolve, reject }));
        },
      },
      now: () => made.now_ms,
      ...{ ttl_ms: 1_000, failed_ttl_ms: 100, numbers_max: 2, lookups_max: 2, wait_ms: 0 },
      onAsked: (memory) => made.asked.push(memory),
      onLookedUp: (answer, took_ms) => made.asked.push(`${answer} after ${took_ms}`),
      log: pino({ level: 'silent' }),
      ...more,
    }),
  };
  return made;
}

describe('number portability', () => {
  it('answers with the number itself while it looks it up, once, and from memory then', async () => {
    const one = desk();
    expect([one.portability.routedAs(A), one.portability.routedAs(A)]).toEqual([A, A]);
    one.now_ms = 5;
    await one.answer(AWAY);
    expect(one.portability.routedAs(A)).toBe(AWAY);
    expect(one.looked_up).toEqual([A]);
    expect(one.asked).toEqual(['unknown', 'unknown', 'ported after 5', 'fresh']);
  });

  it('remembers as well that a number was not ported', async () => {
    const one = desk();
    one.portability.routedAs(A);
    await one.answer(null);
    expect(one.portability.routedAs(A)).toBe(A);
    expect(one.looked_up).toEqual([A]);
  });

  it('asks again when its source has changed, waits for that, and goes the way it went until it knows', async () => {
    const one = desk({ wait_ms: 1_000 });
    one.portability.routedAs(A);
    await one.answer(null);
    expect(one.portability.ready(A)).toBeNull();
    one.portability.changed();
    const ready = one.portability.ready(A);
    expect(ready).not.toBeNull();
    expect(one.portability.routedAs(A)).toBe(A);
    // Asked before it changes once more, so the answer may be an old one.
    one.portability.changed();
    await one.answer(AWAY);
    await ready;
    expect(one.portability.routedAs(A)).toBe(AWAY);
    await one.answer(B);
    expect(one.portability.routedAs(A)).toBe(B);
    expect(one.portability.ready(A)).toBeNull();
    expect(one.looked_up).toEqual([A, A, A]);
  });

  it('asks again when an answer is old, and holds it until the new one comes', async () => {
    const one = desk();
    one.portability.routedAs(A);
    await one.answer(AWAY);
    one.now_ms = 1_000;
    expect(one.portability.routedAs(A)).toBe(AWAY);
    await one.answer(null);
    expect(one.portability.routedAs(A)).toBe(A);
    expect(one.looked_up).toEqual([A, A]);
  });

  it('routes a number by itself when the source fails, and soon asks again', async () => {
    const one = desk();
    one.portability.routedAs(A);
    await one.answer(new Error('gone'));
    expect(one.portability.routedAs(A)).toBe(A);
    expect(one.looked_up).toHaveLength(1);
    one.now_ms = 100;
    one.portability.routedAs(A);
    await one.answer(AWAY);
    expect(one.portability.routedAs(A)).toBe(AWAY);
    one.now_ms = 2_000;
    one.portability.routedAs(A);
    await one.answer(new Error('gone'));
    expect(one.portability.routedAs(A)).toBe(AWAY);
  });

  it('forgets the number that was not asked for the longest', async () => {
    const one = desk();
    for (const number of [A, B]) {
      one.portability.routedAs(number);
      await one.answer(AWAY);
    }
    one.portability.routedAs(A);
    one.portability.routedAs(C);
    await one.answer(AWAY);
    expect(one.portability.size).toBe(2);
    expect(one.portability.routedAs(A)).toBe(AWAY);
    expect(one.portability.routedAs(B)).toBe(B);
  });

  it('asks nothing of a source that knows of no ported number at all', () => {
    const looked_up: string[] = [];
    const lookUp = (number: E164): Promise<E164 | null> => {
      looked_up.push(number);
      return Promise.resolve(AWAY);
    };
    const one = desk({ source: { has_any: false, lookUp }, wait_ms: 60_000 });
    expect([one.portability.ready(A), one.portability.routedAs(A)]).toEqual([null, A]);
    expect(looked_up).toEqual([]);
    const other = desk({ source: { has_any: true, lookUp } });
    expect(other.portability.routedAs(A)).toBe(A);
    expect(looked_up).toEqual([A]);
  });

  it('looks up so many at a time, and routes the others by themselves', () => {
    const one = desk({ numbers_max: 10 });
    for (const number of [A, B, C]) expect(one.portability.routedAs(number)).toBe(number);
    expect(one.looked_up).toEqual([A, B]);
    expect(one.portability.size).toBe(2);
  });
});

describe('whoever waits for the answer', () => {
  it('waits for the first one only', async () => {
    const one = desk({ wait_ms: 60_000 });
    const ready = one.portability.ready(A);
    expect(ready).not.toBeNull();
    await one.answer(AWAY);
    await ready;
    expect(one.portability.routedAs(A)).toBe(AWAY);
    expect(one.portability.ready(A)).toBeNull();
    one.now_ms = 5_000;
    expect(one.portability.ready(A)).toBeNull();
  });

  it('waits no longer than is set, nor where waiting is not', async () => {
    const one = desk({ wait_ms: 1 });
    await one.portability.ready(A);
    expect(one.portability.routedAs(A)).toBe(A);
    expect(desk().portability.ready(A)).toBeNull();
  });

  it('goes on when the source fails', async () => {
    const one = desk({ wait_ms: 60_000 });
    const ready = one.portability.ready(A);
    await one.answer(new Error('gone'));
    await ready;
    expect(one.portability.routedAs(A)).toBe(A);
  });
});
