import { execFile } from 'node:child_process';
import net from 'node:net';
import { promisify } from 'node:util';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { freePort } from './free_port.ts';

const inAnotherProcess = `
  import { freePort } from './deploy/runtime/process/free_port.ts';
  Math.random = () => Number(process.argv[1]);
  console.log(await freePort());
`;

async function elsewhere(random: number): Promise<number> {
  const args = ['--import', 'tsx', '--input-type=module', '-e', inAnotherProcess, String(random)];
  return Number((await promisify(execFile)(process.execPath, args)).stdout);
}

beforeEach(() => vi.spyOn(Math, 'random').mockReturnValue(0.25));
afterEach(() => vi.restoreAllMocks());

it('is named to one process only, though nobody listens there yet', async () => {
  const [first, second] = [await freePort(), await freePort()];
  expect(second).toBeGreaterThan(first);
  const third = await elsewhere(0.25);
  expect(third).toBeGreaterThan(second);
  // That process is gone, and with it its hold.
  expect(await freePort()).toBe(third);
});

it('is none that somebody listens on', async () => {
  const free = await elsewhere(0.25);
  const listener = net.createServer();
  await new Promise<void>((resolve) => listener.listen(free, '127.0.0.1', resolve));
  expect(await freePort()).toBeGreaterThan(free);
  await new Promise((resolve) => listener.close(resolve));
});

it('is none that the kernel gives to a connection', async () => {
  expect(await freePort()).toBeLessThan(32_768);
});
