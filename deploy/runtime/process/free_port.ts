import net from 'node:net';
import { holdName } from './hold_name.ts';
import { listens } from './listens.ts';
import { claimTcp, LOOPBACK } from './port.ts';

/**
 * Below the ports that the kernel hands to connections (`ip_local_port_range`, from 32,768) and above those that switches here use for
 * media. A port the kernel names itself, by a bind to 0, may be another's by the time that a process listens there, as may one of a
 * process that is to be started again.
 */
const FIRST_PORT = 21_000;
const LAST_PORT = 29_999;

/**
 * A TCP port that nobody listens on, on the loopback address, and that nobody else is told of while this process lives. Throws when all
 * are taken.
 */
export async function freePort(): Promise<number> {
  const count = LAST_PORT - FIRST_PORT + 1;
  // Each begins elsewhere, so that two do not walk over the same ports one behind the other.
  const start = Math.floor(Math.random() * count);
  for (let n = 0; n < count; n += 1) {
    const port = FIRST_PORT + ((start + n) % count);
    if ((await holdName(`port-${port}`)) && (await isFree(port))) return port;
  }
  throw new Error(`all ports from ${FIRST_PORT} to ${LAST_PORT} are taken`);
}

/** `wanted` when nobody listens there, a free port when null. Throws an `Outage` that names `what` wanted it. */
export async function claimPort(wanted: number | null, what: string): Promise<number> {
  if (wanted === null) return freePort();
  await claimTcp(LOOPBACK, wanted, what);
  return wanted;
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  if (!(await listens(server, { port, host: LOOPBACK }))) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}
