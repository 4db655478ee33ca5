import { createServer as createPlain } from 'node:net';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { createServer as createTls, Server as TlsServer } from 'node:tls';
import type { ServerTls } from './tls_settings.ts';

export interface Door {
  host: string;
  /** 0 takes any free one. */
  port: number;
  /** Null speaks in the clear. */
  tls: ServerTls | null;
}

/** Of all doors together. */
export interface DoorLimits {
  connections_max: number;
  /** From one address, bound or not. */
  connections_per_address_max: number;
  /** From the connection to the end of the TLS handshake. */
  handshake_timeout_ms: number;
}

export interface DoorOwner {
  /** Somebody is in; over TLS once the handshake is done. */
  onSocket(socket: Socket, is_secure: boolean): void;
  onFault(error: unknown): void;
}

/** TLS 1.0 and 1.1 are not to be used any more (RFC 8996). */
const TLS_MIN_VERSION = 'TLSv1.2';

/**
 * The ports by which others come to us, in the clear or over TLS, with one limit for all of them. Whoever comes too often is
 * turned away before a word is said, and whoever does not finish the TLS handshake in time is cut off.
 */
export class Doors {
  /** Connections that were turned away. */
  turned_away = 0;
  readonly #limits: DoorLimits;
  readonly #owner: DoorOwner;
  readonly #servers: NetServer[] = [];
  readonly #sockets = new Set<Socket>();
  readonly #per_address = new Map<string, number>();

  constructor(limits: DoorLimits, owner: DoorOwner) {
    this.#limits = limits;
    this.#owner = owner;
  }

  /** False before `open` and from `close` on. */
  get are_open(): boolean {
    return this.#servers.some(({ listening }) => listening);
  }

  /** Resolves with the ports, in the order of the doors. Rejects where one of the addresses cannot be taken; none is open then. */
  async open(doors: readonly Door[]): Promise<number[]> {
    const ports: number[] = [];
    try {
      for (const door of doors) ports.push(await this.#openOne(door));
    } catch (error) {
      await this.close();
      throw error;
    }
    return ports;
  }

  /** From now on TLS begins with this certificate; who is in stays as he is. @throws Error where it cannot be used. */
  renew(tls: ServerTls): void {
    for (const server of this.#servers) {
      if (server instanceof TlsServer) server.setSecureContext({ ...tls, minVersion: TLS_MIN_VERSION });
    }
  }

  /** Lets nobody in any more. Resolves when the last who is in has gone. */
  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => new Promise<void>((resolve) => server.close(() => resolve()))));
  }

  /** Ends all connections at once, those in a TLS handshake too, which nobody else could end. */
  clear(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  #openOne({ host, port, tls }: Door): Promise<number> {
    const server = this.#serverOf(tls);
    return new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port }, () => {
        server.off('error', reject);
        server.on('error', (error) => this.#owner.onFault(error));
        this.#servers.push(server);
        resolve((server.address() as AddressInfo).port);
      });
    });
  }

  #serverOf(tls: ServerTls | null): NetServer {
    const server = tls === null ? createPlain((socket) => this.#owner.onSocket(socket, false)) : this.#tlsServerOf(tls);
    // Of a plain server this comes before the listener above, and of a TLS one before the handshake.
    server.prependListener('connection', (socket: Socket) => this.#admit(socket));
    return server;
  }

  #tlsServerOf(tls: ServerTls): TlsServer {
    const server = createTls(
      { ...tls, minVersion: TLS_MIN_VERSION, handshakeTimeout: this.#limits.handshake_timeout_ms },
      (socket) => this.#owner.onSocket(socket, true),
    );
    server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
    return server;
  }

  #admit(socket: Socket): void {
    const { connections_max, connections_per_address_max } = this.#limits;
    const address = socket.remoteAddress ?? 'unknown';
    const from_there = this.#per_address.get(address) ?? 0;
    // Until a session listens nobody else does, and an error that nobody hears ends the process.
    socket.on('error', () => undefined);
    if (this.#sockets.size >= connections_max || from_there >= connections_per_address_max) {
      this.turned_away += 1;
      socket.resetAndDestroy();
      return;
    }
    this.#sockets.add(socket);
    this.#per_address.set(address, from_there + 1);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#per_address.get(address) ?? 1) - 1;
      if (left === 0) this.#per_address.delete(address);
      else this.#per_address.set(address, left);
    });
  }
}
