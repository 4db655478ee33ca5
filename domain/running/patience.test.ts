import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { patience } from './patience.ts';

const PATIENCE_MS = 30;

it('hears what has arrived before it calls anybody silent, where the process itself stood still', async () => {
  const server = createServer((peer) => peer.write('an answer'));
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const told: string[] = [];
  const socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(server, 'connection');
  // The answer lies in the socket from here on, and nobody has read it.
  const waitNoMore = patience(PATIENCE_MS, () => told.push('silent'));
  socket.on('data', () => {
    told.push('heard');
    waitNoMore();
  });
  const until = performance.now() + 3 * PATIENCE_MS;
  while (performance.now() < until);
  await expect.poll(() => told).toEqual(['heard']);
  await wait(2 * PATIENCE_MS);
  expect(told).toEqual(['heard']);
  socket.destroy();
  server.close();
});

it('calls back once where nothing comes', async () => {
  let silent = 0;
  patience(PATIENCE_MS, () => (silent += 1));
  await expect.poll(() => silent).toBe(1);
});
