import fc from 'fast-check';
import { expect, it } from 'vitest';
import { BEGINNING, steps } from './testing/history_steps.ts';
import { NumberModel } from './testing/number_model.ts';

it('in ten thousand histories no money is lost, no number has two holders, and no refund is above what was paid', () => {
  const seen = {
    held: 0,
    given_back: 0,
    suspended: 0,
    sold_again: 0,
    refunded: 0,
    won: 0,
    lost: 0,
    owed: 0,
    paid_debt: 0,
  };
  fc.assert(
    fc.property(steps, (history) => {
      const model = new NumberModel(BEGINNING);
      const { money } = model;
      let owed = 0n;
      for (const step of history) {
        model.take(step);
        expect(model.broken()).toEqual([]);
        if (model.holdings.some(({ state }) => state === 'suspended')) seen.suspended += 1;
        const owed_now = money.owed.reduce((sum, one) => sum + one, 0n);
        if (owed_now > owed) seen.owed += 1;
        if (owed_now < owed) seen.paid_debt += 1;
        owed = owed_now;
      }
      seen.held += model.holdings.length;
      seen.given_back += money.charges.filter((one) => one.given_net > 0n && one.given_net < one.net).length;
      seen.sold_again += model.holdings.length > new Set(model.holdings.map((one) => one.number)).size ? 1 : 0;
      seen.refunded += money.payments.filter(({ refunded }) => refunded > 0n).length;
      for (const known of ['won', 'lost'] as const) {
        seen[known] += money.disputes.filter((one) => one.known === known).length;
      }
    }),
    { numRuns: 10_000 },
  );
  // Histories in which nothing happens would prove nothing.
  for (const [what, count] of Object.entries(seen)) expect({ what, often: count > 100 }).toEqual({ what, often: true });
});
