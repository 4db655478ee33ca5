import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { once } from 'node:events';

/** A TCP port in front of another whose connections can be torn, as a network does it. */
export class BreakableLink {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets: Set<Socket>;

  private constructor(server: Server, sockets: Set<Socket>, port: number) {
    this.#server = server;
    this.#sockets = sockets;
    this.port = port;
  }

  static async open(host: string, port: number): Promise<BreakableLink> {
    const sockets = new Set<Socket>();
    const server = createServer((near) => {
      const far = connect({ host, port });
      for (const [from, to] of [
        [near, far],
        [far, near],
      ] as const) {
        sockets.add(from);
        from.pipe(to);
        // The other end learns of it by being closed as well.
        from.on('error', () => to.destroy());
        from.on('close', () => {
          sockets.delete(from);
          to.destroy();
        });
      }
    });
    server.listen(0, host);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The link has no port.');
    return new BreakableLink(server, sockets, address.port);
  }

  tear(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  async close(): Promise<void> {
    this.tear();
    this.#server.close();
    await once(this.#server, 'close');
  }
}
