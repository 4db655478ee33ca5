import { createServer } from 'node:net';
import type { Server, Socket } from 'node:net';

/** The SMPP port, which a carrier that is down has not open. */
export class Listener {
  readonly #address: string;
  readonly #onSocket: (socket: Socket) => void;
  #port: number;
  #server: Server | null = null;

  constructor(address: string, port: number, onSocket: (socket: Socket) => void) {
    this.#address = address;
    this.#port = port;
    this.#onSocket = onSocket;
  }

  get port(): number {
    return this.#port;
  }

  get is_open(): boolean {
    return this.#server !== null;
  }

  /** Always the same port, once there was one. */
  async open(): Promise<void> {
    if (this.#server !== null) return;
    const server = createServer({ noDelay: true }, this.#onSocket);
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen(this.#port, this.#address, resolve);
    });
    this.#server = server;
    const bound = server.address();
    if (bound !== null && typeof bound === 'object') this.#port = bound.port;
  }

  /** Nobody can connect once this has returned. Connections that stand go on. */
  close(): void {
    this.#server?.close();
    this.#server = null;
  }
}
