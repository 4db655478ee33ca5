import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BEGINNING, NumberModel, steps } from './testing/number_model.ts';

it('in ten thousand histories no money is lost, no number has two holders, and no refund is above what was paid', () => {
  const seen = { held: 0, refunded: 0, suspended: 0, sold_again: 0 };
  fc.assert(
    fc.property(steps, (history) => {
      const model = new NumberModel(BEGINNING);
      for (const step of history) {
        model.take(step);
        expect(model.broken()).toEqual([]);
        if (model.holdings.some(({ state }) => state === 'suspended')) seen.suspended += 1;
      }
      seen.held += model.holdings.length;
      seen.refunded += model.charges.filter((one) => one.given_net > 0n && one.given_net < one.net).length;
      seen.sold_again += model.holdings.length > new Set(model.holdings.map((one) => one.number)).size ? 1 : 0;
    }),
    { numRuns: 10_000 },
  );
  // Histories in which nothing happens would prove nothing.
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(100);
});
