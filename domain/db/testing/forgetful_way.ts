import net from 'node:net';
import type { AddressInfo } from 'node:net';

export interface ForgetfulWay {
  /** By which the database is reached. */
  url: string;
  /** The connections of now say nothing any more, and live on at either end; new ones are as ever. */
  forget: () => void;
  close: () => void;
}

/** What stands between us and the database: it can forget connections without telling either end. */
export async function forgetfulWay(url: string): Promise<ForgetfulWay> {
  const { hostname, port } = new URL(url);
  const sockets: net.Socket[] = [];
  const server = net.createServer((near) => {
    const far = net.connect(Number(port), hostname);
    for (const socket of [near, far]) socket.on('error', () => undefined);
    near.pipe(far);
    far.pipe(near);
    sockets.push(near, far);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const here = new URL(url);
  here.hostname = '127.0.0.1';
  here.port = String((server.address() as AddressInfo).port);
  const forget = (): void => {
    for (const socket of sockets) socket.unpipe().pause();
  };
  const close = (): void => {
    for (const socket of sockets) socket.destroy();
    server.close();
  };
  return { url: here.href, forget, close };
}
