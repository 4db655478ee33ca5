import { expect, it } from 'vitest';
import { freeNetwork } from './free_network.ts';

it('is told to nobody twice, whatever chance says', async () => {
  // Beyond what is drawn elsewhere.
  const drawn = [250, 250, 250, 250, 250, 251];
  const draw = (): number => drawn.shift() ?? 0;
  expect([await freeNetwork(draw), await freeNetwork(draw)]).toEqual(['127.250.250', '127.250.251']);
});
