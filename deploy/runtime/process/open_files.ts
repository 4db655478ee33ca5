import { readFile } from 'node:fs/promises';

/** How many files this process and its children may have open, each of them (proc(5)). */
export async function openFilesMax(): Promise<number> {
  const limits = await readFile('/proc/self/limits', 'utf8');
  const soft = /^Max open files\s+(\d+|unlimited)/mu.exec(limits)?.[1];
  if (soft === undefined) throw new Error('The limit on open files is not to be read from /proc/self/limits.');
  return soft === 'unlimited' ? Number.MAX_SAFE_INTEGER : Number(soft);
}
