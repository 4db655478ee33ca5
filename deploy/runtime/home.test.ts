import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { prepareHome } from './home.ts';
import { explainError, Outage } from './outage.ts';

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsdial-home-'));
});

afterEach(() => rm(folder, { recursive: true, force: true }));

it('the home is made where it is missing, and kept where it is there', async () => {
  const home = join(folder, 'a/b');
  for (let start = 0; start < 2; start += 1) await prepareHome(home, 1);
  expect((await stat(home)).isDirectory()).toBe(true);
});

it('a disk with too little space is refused before anything is begun', async () => {
  const error: unknown = await prepareHome(folder, 10 ** 12).catch((refused: unknown) => refused);
  expect(error).toBeInstanceOf(Outage);
  expect(explainError(error)).toMatch(/^Only \d+ MB are free under .* nothing was begun: free some space/);
});
