import pino from 'pino';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import type { GateListener } from './gate.ts';
import { Guard } from './guard.ts';
import { Memory } from './memory.ts';

const PROXY = '192.0.2.1';
const TRUNK = '198.51.100.7';
const STRANGER = '203.0.113.9';

let heard: GateListener;
let shut_out: readonly string[];
let asked: number;
let guard: Guard;

beforeEach(async () => {
  [shut_out, asked] = [[], 0];
  const failures = new Map<string, number>();
  guard = new Guard({
    gate: {
      watch: (listener) => {
        heard = listener;
        return Promise.resolve();
      },
      shutOut: (addresses) => {
        shut_out = addresses;
        return Promise.resolve();
      },
      close: () => undefined,
    },
    failures: {
      add: (key) => {
        failures.set(key, (failures.get(key) ?? 0) + 1);
        return Promise.resolve(failures.get(key) ?? 0);
      },
    },
    memory: new Memory({
      ...{ store: { isReady: false } as never, proven_seconds: 60, now: Date.now, onTrouble: () => undefined },
    }),
    limits: { failures_max: 3, unidentified_max: 3, block_ms: 60_000, blocks_max: 10 },
    never_blocked: new Set([PROXY]),
    trunkNetworks: () => {
      asked += 1;
      return Promise.resolve([`${TRUNK}/32`]);
    },
    ...{ now: Date.now, onRefused: () => undefined, log: pino({ level: 'silent' }) },
  });
  await guard.start();
});

afterEach(() => guard.stop());

function fails(address: string, times: number): void {
  for (let n = 0; n < times; n += 1) heard.sign({ kind: 'failed', address, forgeable: false });
}

it('a proxy brings everybody: it is not shut out for what one of them does', async () => {
  fails(PROXY, 30);
  fails(STRANGER, 3);
  await vi.waitFor(() => expect(shut_out).toEqual([STRANGER]));
  expect([...guard.blocked.keys()]).toEqual([STRANGER]);
});

it('who is spared costs the database a question for each time that it would have been shut out, and no more', async () => {
  fails(TRUNK, 30);
  await vi.waitFor(() => expect(asked).toBe(10));
  expect(guard.blocked.size).toBe(0);
});
