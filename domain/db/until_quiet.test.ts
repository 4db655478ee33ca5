import { expect, it } from 'vitest';
import { untilQuiet } from './until_quiet.ts';

const patience = { alone_ms: 1, quiet_ms: 2, linger_ms: 20, enough: 100 };

/** How many milliseconds it waited, where `comes` says how many are there by then. */
async function tookMs(comes: (ms: number) => number): Promise<number> {
  let now_ms = 0;
  await untilQuiet(
    () => comes(now_ms),
    patience,
    (ms) => {
      now_ms += ms;
      return Promise.resolve();
    },
  );
  return now_ms;
}

it('waits a moment for company, and no longer where none comes', async () => {
  expect(await tookMs(() => 5)).toBe(2);
  expect(await tookMs((ms) => (ms < 4 ? 2 + ms : 10))).toBe(6);
});

it('waits less for whoever is alone', async () => {
  expect(await tookMs(() => 1)).toBe(1);
  expect(await tookMs((ms) => (ms === 0 ? 1 : 5))).toBe(3);
});

it('waits no longer than it may while more come all the time, and for none once there are enough', async () => {
  expect(await tookMs((ms) => 2 + ms)).toBe(20);
  expect(await tookMs((ms) => 2 + ms * 10)).toBe(10);
  expect(await tookMs(() => 100)).toBe(0);
});
