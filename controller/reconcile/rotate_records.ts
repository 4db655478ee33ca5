import { readdir, rename, rm } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';

const DAY_MS = 86_400_000;

/**
 * Puts the switch's records aside once a day, under the day's name, and deletes what was put aside longer ago than records are asked for.
 * The switch opens the file anew for each record, and whoever follows it reads the old one to its end (`RecordTail`).
 */
export async function rotateRecords(file: string, now: Date, keep_days: number): Promise<void> {
  const folder = dirname(file);
  const today = rotatedName(file, now);
  const oldest = rotatedName(file, new Date(now.getTime() - keep_days * DAY_MS));
  const names = await readdir(folder);
  if (names.includes(basename(file)) && !names.includes(today)) await rename(file, join(folder, today));
  // A day's name is as long as any other's, so their order is that of the days.
  const outlived = names.filter((name) => name.length === oldest.length && isRotated(file, name) && name < oldest);
  for (const name of outlived) await rm(join(folder, name), { force: true });
}

function rotatedName(file: string, day: Date): string {
  return `${basename(file)}.${day.toISOString().slice(0, 10)}`;
}

function isRotated(file: string, name: string): boolean {
  return name.startsWith(`${basename(file)}.`) && /\.\d{4}-\d{2}-\d{2}$/u.test(name);
}
