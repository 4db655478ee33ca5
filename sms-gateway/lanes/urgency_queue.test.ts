import fc from 'fast-check';
import { expect, it } from 'vitest';
import { UrgencyQueue } from './urgency_queue.ts';

/** The same, slowly: an array for each urgency. */
class Model {
  readonly lists: number[][] = [[], [], []];

  get all(): number[] {
    return this.lists.flat();
  }

  shift(): number | undefined {
    return this.lists.find((list) => list.length > 0)?.shift();
  }
}

it('the most urgent goes first, equals in their order, whatever is put in and taken out', () => {
  const step = fc.oneof(
    fc.record({ kind: fc.constantFrom('push' as const, 'unshift' as const), urgency: fc.nat(2), times: fc.nat(900) }),
    fc.record({ kind: fc.constant('shift' as const), times: fc.nat(1500) }),
    fc.record({ kind: fc.constant('takeAll' as const) }),
    fc.record({ kind: fc.constant('remove' as const), which: fc.nat() }),
  );
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const queue = new UrgencyQueue<number>();
      const model = new Model();
      let next = 0;
      for (const one of steps) {
        if (one.kind === 'takeAll') {
          expect(queue.takeAll()).toEqual(model.all);
          for (const list of model.lists) list.length = 0;
        }
        if (one.kind === 'remove') {
          const item = model.all[one.which % Math.max(1, model.all.length)] ?? -1;
          const urgency = Math.max(
            0,
            model.lists.findIndex((list) => list.includes(item)),
          );
          expect(queue.remove(item, urgency)).toBe(item >= 0);
          model.lists[urgency] = (model.lists[urgency] ?? []).filter((other) => other !== item);
        }
        for (let n = 0; n < ('times' in one ? one.times : 0); n += 1) {
          if (one.kind === 'shift') expect(queue.shift()).toBe(model.shift());
          else if (one.kind === 'push' || one.kind === 'unshift') {
            queue[one.kind](next, one.urgency);
            model.lists[one.urgency]?.[one.kind](next);
            next += 1;
          }
        }
        expect(queue.length).toBe(model.all.length);
        expect(queue.first).toBe(model.all[0]);
        expect([...queue.foremost(7)]).toEqual(model.all.slice(0, 7));
      }
    }),
    { numRuns: 60 },
  );
});
