import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Line } from './line.ts';

describe('a line', () => {
  it('keeps its order, whatever comes back to its front', () => {
    const step = fc.oneof(
      fc.integer().map((item) => ({ kind: 'push', item }) as const),
      fc.constant({ kind: 'shift' } as const),
      fc.array(fc.integer(), { maxLength: 5 }).map((items) => ({ kind: 'putBack', items }) as const),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const line = new Line<number>();
        const model: number[] = [];
        for (const one of steps) {
          if (one.kind === 'push') {
            line.push(one.item);
            model.push(one.item);
          } else if (one.kind === 'putBack') {
            line.putBack(one.items);
            model.unshift(...one.items);
          } else {
            expect(line.shift()).toBe(model.shift());
          }
          expect(line.length).toBe(model.length);
        }
      }),
    );
  });

  it('lets go of what has left it', () => {
    const line = new Line<number>();
    for (let n = 0; n < 5_000; n += 1) line.push(n);
    const left = Array.from({ length: 4_999 }, () => line.shift());
    expect(left).toEqual(Array.from({ length: 4_999 }, (_, n) => n));
    line.putBack([-1]);
    expect([line.shift(), line.shift(), line.shift()]).toEqual([-1, 4_999, undefined]);
  });
});
