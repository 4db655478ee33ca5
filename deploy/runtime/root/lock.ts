import { createHash } from 'node:crypto';
import net from 'node:net';
import { errorCode } from '../outage.ts';

/** Held until released, or until the process that holds it ends, however it ends. */
export interface Lock {
  release(): Promise<void>;
}

/**
 * Takes the lock on `path`, or returns null when another process holds it.
 * It is an abstract Unix socket: the kernel drops it with the process, so no stale lock file can be left behind.
 */
export function tryLock(path: string): Promise<Lock | null> {
  return new Promise((resolve, reject) => {
    const server = net.createServer();
    const waiting = new Set<net.Socket>();
    server.on('connection', (socket) => {
      waiting.add(socket);
      // A waiter that goes away is no concern of the holder.
      socket.on('error', () => waiting.delete(socket)).on('close', () => waiting.delete(socket));
    });
    server.once('error', (error) => {
      if (errorCode(error) === 'EADDRINUSE') resolve(null);
      else reject(error);
    });
    server.listen(address(path), () => {
      server.unref();
      resolve({
        release: () =>
          new Promise((released) => {
            server.close(() => {
              released();
            });
            for (const socket of waiting) socket.destroy();
          }),
      });
    });
  });
}

/** Takes the lock on `path`, waiting for whoever holds it; `onWait` is told once. */
export async function lock(path: string, onWait: () => void): Promise<Lock> {
  for (let first = true; ; first = false) {
    const taken = await tryLock(path);
    if (taken !== null) return taken;
    if (first) onWait();
    await holderGone(path);
  }
}

/** Resolves when the holder lets go: it keeps the connection open for as long as it lives. */
function holderGone(path: string): Promise<void> {
  return new Promise((resolve) => {
    const socket = net.connect(address(path));
    socket.on('error', () => socket.destroy());
    socket.once('close', () => {
      resolve();
    });
    socket.resume();
  });
}

function address(path: string): string {
  return `\0letsdial-${createHash('sha256').update(path).digest('hex').slice(0, 32)}`;
}
