import { createServer } from 'node:net';
import type { AddressInfo, Server as NetServer, Socket } from 'node:net';
import { bindBody } from './client.ts';
import type { BindIdentity, ClientOwner } from './client.ts';
import type { Clock } from './clock.ts';
import { Connection } from './connection.ts';
import type { Header, OutbindBody } from './pdu.ts';
import { Session } from './session.ts';
import { SessionSet } from './session_set.ts';
import type { SessionSettings } from './session_settings.ts';

export interface OutbindSettings {
  host: string;
  /** 0 takes any free one. */
  port: number;
  connections_max: number;
  session: SessionSettings;
}

/** As of a client; nothing is tried again, as it is the SMSC who connects. */
export interface OutbindOwner extends ClientOwner {
  /** As whom to bind to the SMSC that gave this name and password, within the limits of a bind; null turns it away. */
  onOutbind(pdu: OutbindBody & Header, address: string): BindIdentity | null;
  onFault(error: unknown): void;
}

/** Waits for SMSCs that connect to us and send an outbind (SMPP 3.4 section 2.2.1), then binds on their connection. */
export class OutbindListener {
  readonly #settings: OutbindSettings;
  readonly #owner: OutbindOwner;
  readonly #clock: Clock;
  readonly #server: NetServer;
  readonly #sessions = new SessionSet();

  constructor(settings: OutbindSettings, owner: OutbindOwner, clock: Clock) {
    this.#settings = settings;
    this.#owner = owner;
    this.#clock = clock;
    this.#server = createServer((socket) => this.#open(socket));
    this.#server.maxConnections = settings.connections_max;
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

  /** Unbinds all; resolves when the last is gone. */
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    await Promise.all([closed, this.#sessions.stopAll()]);
  }

  #open(socket: Socket): void {
    const { session: settings } = this.#settings;
    const address = socket.remoteAddress ?? 'unknown';
    const session: Session = new Session({
      role: 'esme',
      settings,
      clock: this.#clock,
      owner: {
        onOutbind: (pdu) => this.#takeOutbind(session, pdu, address),
        onBound: (bound) => this.#owner.onBound(session, bound),
        onRequest: (pdu, respond) => this.#owner.onRequest(session, pdu, respond),
        onAlert: (pdu) => this.#owner.onAlert?.(session, pdu),
        onCanSend: () => this.#owner.onCanSend?.(session),
        onClosed: (reason) => {
          this.#owner.onLost(reason, null);
          this.#sessions.remove(session);
        },
      },
      openWire: (listener) => new Connection(socket, this.#clock, settings.pdu_octets_max, listener),
    });
    this.#sessions.add(session);
  }

  #takeOutbind(session: Session, pdu: OutbindBody & Header, address: string): void {
    const identity = this.#owner.onOutbind(pdu, address);
    if (identity === null) session.stop();
    else session.bind(bindBody(identity, this.#settings.session.interface_version));
  }
}
