import { expect, test } from 'vitest';
import { lock, tryLock } from './lock.ts';

test('a lock is held by one at a time, and the next one gets it when it is released', async () => {
  const path = `/test/${process.pid}/lock`;
  const first = await tryLock(path);
  expect(first).not.toBeNull();
  expect(await tryLock(path)).toBeNull();
  let told = 0;
  let second_has_it = false;
  const second = lock(path, () => told++).then((taken) => {
    second_has_it = true;
    return taken;
  });
  expect(second_has_it).toBe(false);
  await first?.release();
  await (await second).release();
  expect(told).toBe(1);
  const third = await tryLock(path);
  expect(third).not.toBeNull();
  await third?.release();
});
