import { describe, expect, it } from 'vitest';
import { RouteMemory } from './route_memory.ts';
import type { Routing, Sale, Weights } from './text_routes.ts';

const SETS = 2 ** 14;
const routing = (reason: string): Routing => ({ routes: [], reason });
const sale = (rate_micros_per_segment: bigint, currency = 'EUR'): Sale => ({ rate_micros_per_segment, currency });

const weights = (): Weights => ({ quality_ppm: new Float64Array(), counted_ppm: new Float64Array() });
const ANYWHERE = weights();

/** Asked for twice, as what is asked for once is not kept. */
function keep(memory: RouteMemory, slot: number, of: Sale, where = ANYWHERE): Routing {
  const made = routing(`${slot}`);
  memory.keep(slot, of, where, made);
  memory.keep(slot, of, where, made);
  return made;
}

describe('what was worked out', () => {
  it('is kept when it is asked for a second time', () => {
    const memory = new RouteMemory();
    memory.keep(1, sale(5n), ANYWHERE, routing('first'));
    expect(memory.find(1, sale(5n), ANYWHERE)).toBeNull();
    const second = routing('second');
    memory.keep(1, sale(5n), ANYWHERE, second);
    expect(memory.find(1, sale(5n), ANYWHERE)).toBe(second);
  });

  it('is found by its slot, though others lie in the same places', () => {
    const memory = new RouteMemory();
    const slots = [1, 1 + SETS, 1 + 2 * SETS, -1, -1 + SETS];
    const kept = slots.map((slot) => keep(memory, slot, null));
    expect(slots.map((slot) => memory.find(slot, null, ANYWHERE))).toEqual(kept);
    expect(memory.find(1 + 3 * SETS, null, ANYWHERE)).toBeNull();
  });

  it('is found by its price and currency, of which a slot may have many', () => {
    const memory = new RouteMemory();
    const sales = [null, ...Array.from({ length: 20 }, (_, n) => sale(BigInt(1_000 * (n + 1)))), sale(1_000n, 'USD')];
    const kept = sales.map((one) => keep(memory, 7, one));
    expect(sales.map((one) => memory.find(7, one, ANYWHERE))).toEqual(kept);
    expect(memory.find(7, sale(999n), ANYWHERE)).toBeNull();
  });

  it('is found by where carriers are as good, as a slot may lie in several countries', () => {
    const memory = new RouteMemory();
    const countries = [ANYWHERE, weights()];
    const kept = countries.map((where) => keep(memory, 1, null, where));
    expect(countries.map((where) => memory.find(1, null, where))).toEqual(kept);
    expect(memory.find(1, null, weights())).toBeNull();
  });

  it('is forgotten when it holds no more, and what comes then is kept as ever', () => {
    const memory = new RouteMemory();
    keep(memory, 1, sale(5n));
    keep(memory, -1, null);
    memory.clear();
    expect(memory.find(1, sale(5n), ANYWHERE)).toBeNull();
    expect(memory.find(-1, null, ANYWHERE)).toBeNull();
    memory.keep(1, sale(5n), ANYWHERE, routing('first'));
    expect(memory.find(1, sale(5n), ANYWHERE)).toBeNull();
    const kept = keep(memory, 1, sale(5n));
    expect(memory.find(1, sale(5n), ANYWHERE)).toBe(kept);
  });

  it('makes room for what comes last', () => {
    const memory = new RouteMemory();
    for (let n = 0; n < 10; n += 1) keep(memory, n * SETS, null);
    const left = Array.from({ length: 10 }, (_, n) => memory.find(n * SETS, null, ANYWHERE)).filter(
      (one) => one !== null,
    );
    expect(left.map(({ reason }) => reason)).toEqual([6, 7, 8, 9].map((n) => `${n * SETS}`));
  });
});
