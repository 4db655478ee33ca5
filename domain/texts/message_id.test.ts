import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { madeAtMs, MessageIds } from './message_id.ts';

const JANUARY_MS = Date.UTC(2026, 0, 15, 12);

/** Ids that are made while the clock shows these instants, one after the other. */
function idsAt(instants_ms: readonly number[]): string[] {
  let turn = 0;
  const ids = new MessageIds(() => instants_ms[turn] ?? 0);
  return instants_ms.map((_, n) => {
    turn = n;
    return ids.next();
  });
}

describe('the id of a text', () => {
  it('is a UUID of version 7, variant 10 (RFC 9562, 5.7), and tells when it was made', () => {
    for (const instant_ms of [1, JANUARY_MS, 2 ** 48 - 1]) {
      const [id = ''] = idsAt([instant_ms]);
      expect(id).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
      expect(madeAtMs(id)).toBe(instant_ms);
    }
  });

  it('takes the millisecond that has begun of a clock that knows fractions', () => {
    const [id = ''] = idsAt([JANUARY_MS + 0.999]);
    expect(madeAtMs(id)).toBe(JANUARY_MS);
  });

  it('is greater than every one that was made before, whatever the clock does', () => {
    const steps = fc.array(fc.constantFrom(0, 0, 0, 1, 7, -1, -5_000, 3_600_000, -3_600_000), { maxLength: 300 });
    fc.assert(
      fc.property(steps, (changes) => {
        let at_ms = JANUARY_MS;
        const ids = idsAt(changes.map((change) => (at_ms += change)));
        expect(ids).toEqual([...new Set(ids)].sort());
      }),
    );
  });

  it('borrows from the milliseconds to come when one is too short, and no more than it has to', () => {
    const ids = idsAt(Array.from({ length: 10_000 }, () => JANUARY_MS));
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(ids.map(madeAtMs).filter((at_ms) => at_ms === JANUARY_MS)).toHaveLength(0x1000);
    expect(madeAtMs(ids.at(-1) ?? '')).toBe(JANUARY_MS + 2);
  });

  it('goes on from what it borrowed when the clock has come that far', () => {
    const ids = idsAt([...Array.from({ length: 0x1001 }, () => JANUARY_MS), JANUARY_MS + 1, JANUARY_MS + 2]);
    expect(ids).toEqual([...new Set(ids)].sort());
    expect(ids.slice(-3).map(madeAtMs)).toEqual([JANUARY_MS + 1, JANUARY_MS + 1, JANUARY_MS + 2]);
  });

  it('is no other maker’s, though both count in the same millisecond', () => {
    const makers = Array.from({ length: 4 }, () => idsAt(Array.from({ length: 5_000 }, () => JANUARY_MS)));
    expect(new Set(makers.flat()).size).toBe(20_000);
  });
});
