import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import { once } from 'node:events';

/** A TCP port in front of another whose connections can be torn, as a network does it. */
export class BreakableLink {
  readonly port: number;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #tears_after: string | null = null;

  private constructor(server: Server, host: string, far_port: number, port: number) {
    this.#server = server;
    this.port = port;
    server.on('connection', (near: Socket) => this.#join(near, connect({ host, port: far_port })));
  }

  static async open(host: string, far_port: number): Promise<BreakableLink> {
    const server = createServer();
    server.listen(0, host);
    await once(server, 'listening');
    const address = server.address();
    if (address === null || typeof address === 'string') throw new Error('The link has no port.');
    return new BreakableLink(server, host, far_port, address.port);
  }

  tear(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
  }

  /** The next time that somebody says these words: they arrive, and what is answered to them does not. */
  tearAfter(words: string): void {
    this.#tears_after = words;
  }

  async close(): Promise<void> {
    this.tear();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #join(near: Socket, far: Socket): void {
    let is_torn = false;
    for (const [from, to] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(from);
      // The other end learns of it by being closed as well; one whose words are still to arrive stays.
      from.on('error', () => is_torn || to.destroy());
      from.on('close', () => {
        this.#sockets.delete(from);
        if (!is_torn) to.destroy();
      });
    }
    far.pipe(near);
    near.on('end', () => far.end());
    near.on('data', (words: Buffer) => {
      far.write(words);
      if (this.#tears_after === null || !words.includes(this.#tears_after)) return;
      this.#tears_after = null;
      is_torn = true;
      far.unpipe(near);
      far.resume();
      near.resetAndDestroy();
    });
  }
}
