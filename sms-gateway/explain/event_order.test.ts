import { expect, it } from 'vitest';
import { inTheirOrder } from './event_order.ts';
import { final, ofAlpha, receipt, taken } from './testing/sample_text.ts';

it('is that of the answers of carriers, whichever of a batch was stored first', () => {
  const refused = ofAlpha('refused', 10);
  const by_beta = taken(1, 20, { carrier: 'beta' });
  expect(inTheirOrder([by_beta, refused])).toEqual([refused, by_beta]);
});

it('believes no clock of a carrier: a receipt stays where it was stored', () => {
  const stored = [taken(1, 500), receipt(1, 100), final(600), taken(1, 550, { attempt: 2 })];
  expect(inTheirOrder(stored)).toEqual(stored);
});
