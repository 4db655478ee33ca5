import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { Outage } from '../../domain/db/batch.ts';
import { BoundedRedis } from './bounded_redis.ts';
import type { RedisClient } from './bounded_redis.ts';

const ANSWER_MS = 50;
/** Answers each octet with the same one, and then does what a test wishes. */
const server = createServer((peer) =>
  peer.on('data', (octets) => {
    if (!answers) return;
    peer.write(octets);
    onAnswered();
  }),
);
let answers = true;
let onAnswered = (): void => undefined;
let socket: Socket;
let redis: BoundedRedis;

beforeAll(async () => {
  await once(server.listen(0, '127.0.0.1'), 'listening');
  socket = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(socket, 'connect');
  const client: Partial<RedisClient> = {
    ping: () =>
      new Promise((resolve) => {
        socket.once('data', () => resolve('PONG'));
        socket.write('p');
      }),
  };
  redis = new BoundedRedis(client as RedisClient, ANSWER_MS);
});

afterAll(() => {
  socket.destroy();
  server.close();
});

/** Of this process, and of nobody whom it asks. */
function standStill(ms: number): void {
  const until = performance.now() + ms;
  while (performance.now() < until);
}

it('hears an answer that arrived while the process itself stood still', async () => {
  onAnswered = () => standStill(3 * ANSWER_MS);
  const answer = redis.ping();
  await expect(answer).resolves.toBe('PONG');
  onAnswered = () => undefined;
});

it('is silent when nothing comes, asks nothing more meanwhile, and asks again once it was heard', async () => {
  answers = false;
  const overdue = redis.ping();
  await expect(overdue).rejects.toThrow(Outage);
  await expect(redis.ping()).rejects.toThrow('Redis is silent');
  answers = true;
  socket.emit('data', Buffer.from('p'));
  await new Promise((resolve) => setImmediate(resolve));
  await expect(redis.ping()).resolves.toBe('PONG');
});
