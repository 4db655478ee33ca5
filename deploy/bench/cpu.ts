import { readFile } from 'node:fs/promises';

/** Linux counts in hundredths of a second here, whatever the kernel's own tick (proc(5), sysconf(_SC_CLK_TCK)). */
const TICK_MS = 10;

/** Milliseconds of CPU that a process has used since it began, user and system. */
export async function cpuMs(pid: number): Promise<number> {
  const [user = 0, system = 0] = await timesOf(pid);
  return user + system;
}

/** The same with what its children used that have ended since. */
export async function cpuMsWithEnded(pid: number): Promise<number> {
  return (await timesOf(pid)).reduce((sum, ms) => sum + ms, 0);
}

/** Its own user and system time, and those of its children that have ended and been waited for (proc(5)). */
async function timesOf(pid: number): Promise<number[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name may hold spaces, so fields are counted from its closing bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).map((ticks) => Number(ticks) * TICK_MS);
}
