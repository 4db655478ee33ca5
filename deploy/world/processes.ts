import { readFile } from 'node:fs/promises';
import { eventually } from './verdict.ts';

/** Sends a signal to one process that this one started, and lets the kernel say when it is gone. */
export const signals = {
  freeze: (pid: number): boolean => process.kill(pid, 'SIGSTOP'),
  thaw: (pid: number): boolean => process.kill(pid, 'SIGCONT'),
  askToStop: (pid: number): boolean => process.kill(pid, 'SIGTERM'),
};

/** A process and all that it has started, itself first. */
export async function processTree(pid: number): Promise<number[]> {
  const told = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8');
  const children = told.split(' ').filter((text) => text !== '');
  return [pid, ...(await Promise.all(children.map((child) => processTree(Number(child))))).flat()];
}

/** Whether there is such a process; one that has ended is there until its parent takes note of it. */
export function alive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ESRCH') return false;
    throw error;
  }
}

/** `kill -9`, resolved when the process is no more and its ports are free. */
export async function killed(part: { pid: number; kill: () => void }): Promise<void> {
  part.kill();
  await eventually(`the end of process ${part.pid}`, 5_000, () => (alive(part.pid) ? null : true));
}

/** What `/healthz` of a controller says; null when nobody answers. */
export async function healthStatus(url: string): Promise<number | null> {
  try {
    const response = await fetch(`${url}/healthz`, { signal: AbortSignal.timeout(5_000) });
    await response.body?.cancel();
    return response.status;
  } catch (error) {
    if (error instanceof TypeError) return null;
    throw error;
  }
}

export async function untilHealth(url: string, status: number, within_ms: number): Promise<void> {
  await eventually(`${status} of ${url}`, within_ms, async () => ((await healthStatus(url)) === status ? true : null));
}
