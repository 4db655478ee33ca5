import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { rotateRecords } from './rotate_records.ts';

let folder: string;
let file: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'letsdial-records-'));
  file = join(folder, 'calls.csv');
});

afterEach(() => rm(folder, { recursive: true }));

const at = (day: string): Date => new Date(`${day}T12:00:00Z`);

it('records are put aside once a day and deleted after their days, and nothing else is', async () => {
  const others = ['calls.csv.old', 'other.csv.2026-01-01', 'calls.csv.2026-01-01.gz'];
  for (const name of others) await writeFile(join(folder, name), '');
  for (const day of ['2026-03-01', '2026-03-02', '2026-03-03']) {
    await writeFile(file, `of ${day}`);
    await rotateRecords(file, at(day), 7);
    await writeFile(file, 'later');
    await rotateRecords(file, at(day), 7);
  }
  expect(await readFile(join(folder, 'calls.csv.2026-03-02'), 'utf8')).toBe('of 2026-03-02');
  expect((await readdir(folder)).sort()).toEqual(
    ['calls.csv', 'calls.csv.2026-03-01', 'calls.csv.2026-03-02', 'calls.csv.2026-03-03', ...others].sort(),
  );
  await rotateRecords(file, at('2026-03-09'), 7);
  expect((await readdir(folder)).sort()).toEqual(
    ['calls.csv.2026-03-02', 'calls.csv.2026-03-03', 'calls.csv.2026-03-09', ...others].sort(),
  );
  // Before the switch has written anything.
  await rotateRecords(file, at('2026-03-10'), 7);
  expect(await readdir(folder)).not.toContain('calls.csv.2026-03-10');
});
