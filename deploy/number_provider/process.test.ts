import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { HttpProvider } from '../../portal-api/numbers/provider/http_provider.ts';
import { numberProviderPart } from '../parts/number_provider.ts';

it('as a process of its own it supplies numbers, refuses who has no key, and is told how to behave', async () => {
  const home = await mkdtemp(join(tmpdir(), 'letsdial-number-provider-'));
  const key = 'what the partner knows us by';
  const [address, port] = ['127.9.7.1', 8731];
  const url = `http://${address}:${port}`;
  // Nobody listens there: what it tells is lost, and it goes on.
  const webhook = { url: `http://${address}:8732/`, secret: 'what the partner signs with' };
  const wishes = { home, address, port, key, webhook, provision_ms: 0, test_ms: 0 };
  const running = await numberProviderPart(wishes).start();
  try {
    const order = { order_id: '11111111-1111-4111-8111-111111111111', number: '+4930123456', fields: {} };
    const provider = new HttpProvider({ url, key });
    expect(await provider.provision(order)).toEqual({ state: 'supplied', reachable: true });
    const change = { ...order, change_id: '22222222-2222-4222-8222-222222222222', fields: { holder_name: 'Ada' } };
    expect(await provider.changeHolder(change)).toEqual({ state: 'accepted' });
    const unknown = { ...change, order_id: '33333333-3333-4333-8333-333333333333' };
    expect(await provider.changeHolder(unknown)).toEqual({ state: 'refused', reason: 'unknown_to_provider' });
    const stranger = new HttpProvider({ url, key: 'somebody else’s' });
    await expect(stranger.status(order.order_id)).rejects.toThrow(/401|did not answer/u);
    await fetch(`${url}/behaviour`, { method: 'PUT', body: JSON.stringify({ outage: 'errors' }) });
    await expect(provider.status(order.order_id)).rejects.toThrow(/503/u);
    await fetch(`${url}/behaviour`, { method: 'PUT', body: '{}' });
    await provider.release(order);
    expect(await provider.status(order.order_id)).toEqual({ state: 'refused', reason: 'released' });
  } finally {
    await running.stop();
    await rm(home, { recursive: true, force: true });
  }
});
