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

/** Of a process that may end at any moment: nothing once it has, as whoever waited for it has its time by then. */
export async function cpuMsWhileItLives(pid: number): Promise<number> {
  try {
    return await cpuMs(pid);
  } catch (error) {
    if (['ENOENT', 'ESRCH'].includes(String((error as { code?: unknown }).code))) return 0;
    throw error;
  }
}

/** Milliseconds of all cores since the machine began, and of these in which any of them worked or was taken away (proc(5), /proc/stat). */
export async function machineCpuMs(): Promise<{ busy: number; machine: number }> {
  const [line = ''] = (await readFile('/proc/stat', 'utf8')).split('\n', 1);
  // After the word: user, nice, system, idle, iowait, irq, softirq, steal; what guests use is in the first two.
  const ms = line
    .split(/ +/u)
    .slice(1, 9)
    .map((ticks) => Number(ticks) * TICK_MS);
  const machine = ms.reduce((sum, one) => sum + one, 0);
  const [, , , idle = 0, iowait = 0] = ms;
  return { busy: machine - idle - iowait, machine };
}

/** Its own user and system time, and those of its children that have ended and been waited for (proc(5)). */
async function timesOf(pid: number): Promise<number[]> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8');
  // The name may hold spaces, so fields are counted from its closing bracket.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return fields.slice(11, 15).map((ticks) => Number(ticks) * TICK_MS);
}
