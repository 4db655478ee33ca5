import { readFile } from 'node:fs/promises';

/** Linux counts in hundredths of a second here, whatever the kernel's own tick (proc(5), sysconf(_SC_CLK_TCK)). */
const TICK_MS = 10;

/** Milliseconds of CPU that a process has used since it began, user and system. */
export async function cpuMs(pid: number): Promise<number> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name may hold spaces, so fields are counted from its closing bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
}
