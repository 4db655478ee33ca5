import net from 'node:net';
import { errorCode } from '../outage.ts';
import { claimTcp, LOOPBACK } from './port.ts';

/**
 * Below the ports that the kernel hands to connections (`ip_local_port_range`, from 32,768) and above those that switches here use for
 * media. A port the kernel names itself, by a bind to 0, may be another's by the time that a process listens there, as may one of a
 * process that is to be started again.
 */
const FIRST_PORT = 21_000;
const LAST_PORT = 29_999;

/** What a port is held with, so that it stays held while this process lives, listened on or not. */
const holds: net.Server[] = [];

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
    if ((await hold(port)) && (await isFree(port))) return port;
  }
  throw new Error(`all ports from ${FIRST_PORT} to ${LAST_PORT} are taken`);
}

/** `wanted` when nobody listens there, a free port when null. Throws an `Outage` that names `what` wanted it. */
export async function claimPort(wanted: number | null, what: string): Promise<number> {
  if (wanted === null) return freePort();
  await claimTcp(LOOPBACK, wanted, what);
  return wanted;
}

/** By an abstract socket, which the kernel takes back from whoever dies (unix(7)). False when somebody holds it already. */
async function hold(port: number): Promise<boolean> {
  const holder = net.createServer();
  if (!(await listens(holder, { path: `\0letsdial-port-${port}` }))) return false;
  holder.unref();
  holds.push(holder);
  return true;
}

async function isFree(port: number): Promise<boolean> {
  const server = net.createServer();
  if (!(await listens(server, { port, host: LOOPBACK }))) return false;
  await new Promise((resolve) => server.close(resolve));
  return true;
}

function listens(server: net.Server, where: net.ListenOptions): Promise<boolean> {
  return new Promise((resolve, reject) => {
    server.once('error', (error) => {
      if (errorCode(error) === 'EADDRINUSE') resolve(false);
      else reject(error);
    });
    server.listen(where, () => {
      resolve(true);
    });
  });
}
