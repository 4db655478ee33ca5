import dgram from 'node:dgram';
import net from 'node:net';
import { errorCode, Outage } from '../outage.ts';

export const LOOPBACK = '127.0.0.1';

/** Throws an `Outage` when somebody listens there already. */
export async function claimTcp(host: string, port: number, what: string): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const server = net.createServer();
    server.once('error', (error) => {
      reject(portOutage(error, `${host}:${port}`, what));
    });
    server.listen(port, host, () => {
      server.close(() => {
        resolve();
      });
    });
  });
}

function portOutage(error: Error, address: string, what: string): Error {
  switch (errorCode(error)) {
    case 'EADDRINUSE':
      return new Outage(
        `The port ${address} is taken, so ${what} cannot listen there: stop what uses it, or set another port.`,
      );
    case 'EACCES':
      return new Outage(`This user may not listen on ${address}, so ${what} cannot start: set a port above 1023.`);
    default:
      return error;
  }
}

/** Throws an `Outage` when somebody has that address for UDP already, as a switch or a phone on the same machine may. */
export async function claimUdp(address: string, port: number, what: string): Promise<void> {
  const socket = dgram.createSocket('udp4');
  try {
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind({ address, port, exclusive: true }, resolve);
    });
  } catch (error) {
    if (errorCode(error) === 'EADDRINUSE') {
      throw new Outage(
        `The UDP port ${address}:${port} is taken, so ${what} cannot listen there: stop what uses it, or set another address or port.`,
      );
    }
    if (errorCode(error) === 'EADDRNOTAVAIL') {
      throw new Outage(`This machine has no address ${address}, so ${what} cannot listen there: set one that it has.`);
    }
    throw error;
  } finally {
    socket.close();
  }
}
