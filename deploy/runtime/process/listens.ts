import type net from 'node:net';
import { errorCode } from '../outage.ts';

/** Whether the server listens there now; false when somebody else does. */
export function listens(server: net.Server, where: net.ListenOptions): Promise<boolean> {
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
