import { createServer as createPlain } from 'node:net';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { createServer as createTls } from 'node:tls';
import type { Clock } from './clock.ts';
import type { CloseReason } from './close_reason.ts';
import { Connection } from './connection.ts';
import type { BindBody, Header } from './pdu.ts';
import { Session } from './session.ts';
import type { BindAnswer, Bound, Respond, ServedPdu } from './session_owner.ts';
import { SessionSet } from './session_set.ts';
import type { SessionSettings } from './session_settings.ts';
import { STATUS } from './status.ts';
import type { ServerTls } from './tls_settings.ts';

export interface ServerSettings {
  host: string;
  /** 0 takes any free one. */
  port: number;
  tls: ServerTls | null;
  connections_max: number;
  /** From one address, bound or not. */
  connections_per_address_max: number;
  session: SessionSettings;
}

export interface BindRequest {
  pdu: BindBody & Header;
  /** The peer's address without its port. */
  address: string;
}

/** Whoever a server works for. */
export interface ServerOwner {
  /** Rejecting is an outage: the peer hears ESME_RSYSERR and `onFault` the error. */
  onBind(request: BindRequest): Promise<BindAnswer>;
  onBound(session: Session, bound: Bound): void;
  onRequest(session: Session, pdu: ServedPdu, respond: Respond): void;
  onCanSend?(session: Session): void;
  /** Of every connection that was let in, bound or not. */
  onClosed(session: Session, reason: CloseReason): void;
  onFault(error: unknown): void;
}

/** An SMSC's listener: one session a connection. Whoever connects too often, or does not bind in time, is cut off. */
export class Server {
  /** Connections that were turned away at the door. */
  turned_away = 0;
  readonly #settings: ServerSettings;
  readonly #owner: ServerOwner;
  readonly #clock: Clock;
  readonly #server: NetServer;
  readonly #sockets = new Set<Socket>();
  readonly #per_address = new Map<string, number>();
  readonly #sessions = new SessionSet();

  constructor(settings: ServerSettings, owner: ServerOwner, clock: Clock) {
    this.#settings = settings;
    this.#owner = owner;
    this.#clock = clock;
    const { tls, session } = settings;
    this.#server =
      tls === null
        ? createPlain((socket) => this.#open(socket))
        : createTls({ ...tls, handshakeTimeout: session.bind_timeout_ms }, (socket) => this.#open(socket));
    // Of a plain server this comes before the listener above, and of a TLS one before the handshake.
    this.#server.prependListener('connection', (socket) => this.#admit(socket));
    this.#server.on('tlsClientError', (_error: Error, socket: Socket) => socket.destroy());
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions.all;
  }

  /** Resolves with the port. Rejects where the address cannot be taken. */
  listen(): Promise<number> {
    const { host, port } = this.#settings;
    return new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen({ host, port }, () => {
        this.#server.off('error', reject);
        this.#server.on('error', (error) => this.#owner.onFault(error));
        resolve((this.#server.address() as AddressInfo).port);
      });
    });
  }

  /** Takes no more connections and unbinds all. Resolves when the last is gone, within the time limits of the sessions. */
  close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    const ended = this.#sessions.stopAll();
    // Those in a TLS handshake have no session that could end them.
    const limit_ms = this.#settings.session.drain_timeout_ms + 2 * this.#settings.session.unbind_timeout_ms;
    const cancel = this.#clock.after(limit_ms, () => this.#sockets.forEach((socket) => socket.destroy()));
    return Promise.all([closed, ended]).then(cancel);
  }

  #admit(socket: Socket): void {
    const address = socket.remoteAddress ?? 'unknown';
    const from_there = this.#per_address.get(address) ?? 0;
    // Until a session listens nobody else does, and an error that nobody hears ends the process.
    socket.on('error', () => undefined);
    if (
      this.#sockets.size >= this.#settings.connections_max ||
      from_there >= this.#settings.connections_per_address_max
    ) {
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

  #open(socket: Socket): void {
    if (socket.destroyed) return;
    const { session: settings } = this.#settings;
    const address = socket.remoteAddress ?? 'unknown';
    const session: Session = new Session({
      role: 'smsc',
      settings,
      clock: this.#clock,
      owner: {
        onBindRequest: (pdu, answer) => this.#decide({ pdu, address }, answer),
        onBound: (bound) => this.#owner.onBound(session, bound),
        onRequest: (pdu, respond) => this.#owner.onRequest(session, pdu, respond),
        onCanSend: () => this.#owner.onCanSend?.(session),
        onClosed: (reason) => {
          this.#owner.onClosed(session, reason);
          this.#sessions.remove(session);
        },
      },
      openWire: (listener) => new Connection(socket, this.#clock, settings.pdu_octets_max, listener),
    });
    this.#sessions.add(session);
    // What came in through the door while it was closing.
    if (!this.#server.listening) session.stop();
  }

  #decide(request: BindRequest, answer: (answer: BindAnswer) => void): void {
    this.#owner
      .onBind(request)
      .catch((error: unknown): BindAnswer => {
        this.#owner.onFault(error);
        return { kind: 'refused', command_status: STATUS.ESME_RSYSERR };
      })
      .then(answer)
      .catch((error: unknown) => this.#owner.onFault(error));
  }
}
