import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { encode } from '../encode.ts';
import { Framer } from '../framer.ts';
import type { Pdu, PduBody } from '../pdu.ts';

/** The other end of a connection, that says whatever bytes a test wants and keeps what it hears. */
export class RawPeer {
  readonly socket: Socket;
  /** How many pieces the bytes came in. */
  chunks = 0;
  readonly closed: Promise<void>;
  #heard: Pdu[] = [];
  #is_closed = false;
  #wake: () => void = () => undefined;
  readonly #framer = new Framer(1_048_576);

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => this.#receive(chunk));
    // A reset is an end like any other to a test; `closed` tells of it.
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      socket.once('close', () => {
        this.#is_closed = true;
        this.#wake();
        resolve();
      });
    });
  }

  static async connect(port: number, localAddress = '127.0.0.1'): Promise<RawPeer> {
    const socket = connect({ host: '127.0.0.1', port, localAddress });
    await new Promise((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawPeer(socket);
  }

  get is_closed(): boolean {
    return this.#is_closed;
  }

  send(body: PduBody, sequence_number: number, command_status = 0): void {
    this.socket.write(encode({ ...body, command_status, sequence_number }));
  }

  /** The first PDU of that command that has not been taken, those before it thrown away; null once the connection is closed. */
  async next(command: Pdu['command']): Promise<Pdu | null> {
    for (;;) {
      const at = this.#heard.findIndex((pdu) => pdu.command === command);
      const found = this.#heard[at];
      if (found !== undefined) {
        this.#heard = this.#heard.slice(at + 1);
        return found;
      }
      if (this.#is_closed) return null;
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  #receive(chunk: Buffer): void {
    this.chunks += 1;
    this.#framer.push(chunk);
    for (let next = this.#framer.next(); next !== null; next = this.#framer.next()) {
      if (next.kind !== 'pdu') throw new Error(`Our side sent what is no PDU: ${next.why}`);
      this.#heard.push(next.pdu);
    }
    this.#wake();
  }
}
