import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

export interface Endpoint {
  address: string;
  port: number;
}

/** The wire between two parties, who do not know of it: it hands on what either sends, until it is cut. */
export class Line {
  readonly #to: Endpoint;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** How many connections reached the far end. */
  connections = 0;

  private constructor(to: Endpoint) {
    this.#to = to;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (near) => this.#join(near));
  }

  static async open(at: Endpoint, to: Endpoint): Promise<Line> {
    const line = new Line(to);
    await new Promise<void>((resolve, reject) => {
      line.#server.once('error', reject);
      line.#server.listen(at.port, at.address, resolve);
    });
    return line;
  }

  /** Resets what is connected, towards both ends; whether anything was. */
  cut(): boolean {
    const was_connected = this.#sockets.size > 0;
    for (const socket of this.#sockets) socket.resetAndDestroy();
    return was_connected;
  }

  /** Nobody is let in any more. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.cut();
    await closed;
  }

  #join(near: Socket): void {
    const { address: host, port } = this.#to;
    const far = connect({ host, port, allowHalfOpen: true, noDelay: true });
    far.once('connect', () => (this.connections += 1));
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      this.#sockets.add(one);
      one.pipe(other);
      // That it failed is what the other end hears, by a reset of its own.
      one.on('error', () => other.resetAndDestroy());
      one.once('close', () => {
        this.#sockets.delete(one);
        other.destroy();
      });
    }
  }
}
