import { createSocket } from 'node:dgram';
import type { Socket } from 'node:dgram';

export interface Address {
  address: string;
  port: number;
}

/** Test traffic must never leave the machine, whatever a Contact or an SDP from the other side says. */
export function isLoopback(address: string): boolean {
  return /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(address);
}

export function formatAddress(at: Address): string {
  return `${at.address}:${at.port}`;
}

/** How the messages of one party travel. */
export interface Wire {
  readonly local: Address;
  /** As it stands in a Via. */
  readonly transport: 'UDP' | 'TLS' | 'WSS';
  /** False where the target is not on loopback, or the wire is closed. */
  send(bytes: Buffer, to: Address): boolean;
  close(): Promise<void>;
}

export type OnPacket = (bytes: Buffer, from: Address) => void;

/** A UDP socket bound to one loopback address. Port 0 asks the kernel for a free one. */
export class UdpSocket implements Wire {
  readonly transport = 'UDP';
  readonly local: Address;
  private readonly socket: Socket;
  private closed = false;

  private constructor(socket: Socket, local: Address) {
    this.socket = socket;
    this.local = local;
  }

  static async open(at: Address, onPacket: OnPacket): Promise<UdpSocket> {
    if (!isLoopback(at.address))
      throw new Error(`${at.address} is not a loopback address: test parties live on 127.0.0.0/8 only.`);
    const socket = createSocket({ type: 'udp4', recvBufferSize: 4_194_304 });
    await new Promise<void>((resolve, reject) => {
      socket.once('error', reject);
      socket.bind(at.port, at.address, () => {
        socket.off('error', reject);
        resolve();
      });
    });
    // An ICMP "port unreachable" for an earlier packet: the other side is gone, which the timers notice by themselves.
    socket.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code !== 'ECONNREFUSED') throw error;
    });
    socket.on('message', (bytes, from) => onPacket(bytes, { address: from.address, port: from.port }));
    return new UdpSocket(socket, { address: at.address, port: socket.address().port });
  }

  /** False where the target is not on loopback, or the socket is closed. */
  send(bytes: Buffer, to: Address): boolean {
    if (this.closed || !isLoopback(to.address) || to.port < 1 || to.port > 65_535) return false;
    this.socket.send(bytes, to.port, to.address);
    return true;
  }

  async close(): Promise<void> {
    if (this.closed) return;
    this.closed = true;
    await new Promise<void>((resolve) => this.socket.close(() => resolve()));
  }
}
