import { connect as connectPlain, isIP } from 'node:net';
import type { Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { backoffMs } from './backoff.ts';
import type { Backoff } from './backoff.ts';
import type { Clock } from './clock.ts';
import type { CloseReason } from './close_reason.ts';
import { Connection } from './connection.ts';
import { encode } from './encode.ts';
import type { AlertNotificationBody, BindBody, Header } from './pdu.ts';
import { Session } from './session.ts';
import type { Bound, Respond, ServedPdu } from './session_owner.ts';
import type { SessionSettings } from './session_settings.ts';
import type { BindMode } from './session_state.ts';
import { STATUS } from './status.ts';
import { NO_TLVS } from './tlv.ts';
import type { ClientTls } from './tls_settings.ts';

export interface BindIdentity {
  mode: BindMode;
  system_id: string;
  password: string;
  system_type?: string;
  addr_ton?: number;
  addr_npi?: number;
  address_range?: string;
}

export interface ClientSettings {
  host: string;
  port: number;
  /** Null speaks in the clear. */
  tls: ClientTls | null;
  bind: BindIdentity;
  session: SessionSettings;
  backoff: Backoff;
  /** A bind that held for so long starts the backoff anew when it is lost. */
  stable_ms: number;
}

/** Whoever a client works for. It must not throw. */
export interface ClientOwner {
  onBound(session: Session, bound: Bound): void;
  /** A session ended or an attempt failed; the outcomes of its requests came before. `retry_in_ms` is null after `stop`. */
  onLost(reason: CloseReason, retry_in_ms: number | null): void;
  onRequest(session: Session, pdu: ServedPdu, respond: Respond): void;
  onAlert?(session: Session, pdu: AlertNotificationBody & Header): void;
  /** The session's `can_send` was found false and is true again. */
  onCanSend?(session: Session): void;
}

const BIND_COMMAND = { tx: 'bind_transmitter', rx: 'bind_receiver', trx: 'bind_transceiver' } as const;

export function bindBody(identity: BindIdentity, interface_version: number): BindBody {
  return {
    command: BIND_COMMAND[identity.mode],
    system_id: identity.system_id,
    password: identity.password,
    system_type: identity.system_type ?? '',
    interface_version,
    addr_ton: identity.addr_ton ?? 0,
    addr_npi: identity.addr_npi ?? 0,
    address_range: identity.address_range ?? '',
    tlvs: NO_TLVS,
  };
}

/** Keeps one bind with an SMSC: connects, binds, and does so again for ever when it is lost, until `stop`. */
export class Client {
  readonly #settings: ClientSettings;
  readonly #owner: ClientOwner;
  readonly #clock: Clock;
  readonly #random: () => number;
  #session: Session | null = null;
  #socket: Socket | null = null;
  #bound_at_ms: number | null = null;
  #attempt = 0;
  #running = false;
  #cancelTimer: () => void = () => undefined;
  #stopped: (() => void)[] = [];

  /** @throws EncodeError where a field of the bind is too long: found now, not at each attempt. */
  constructor(settings: ClientSettings, owner: ClientOwner, clock: Clock, random: () => number) {
    encode({
      ...bindBody(settings.bind, settings.session.interface_version),
      command_status: STATUS.ESME_ROK,
      sequence_number: 1,
    });
    this.#settings = settings;
    this.#owner = owner;
    this.#clock = clock;
    this.#random = random;
  }

  /** The session while it is bound. */
  get session(): Session | null {
    return this.#bound_at_ms === null ? null : this.#session;
  }

  /** After a `stop` not before that has resolved. */
  start(): void {
    if (this.#running) return;
    this.#running = true;
    this.#connect();
  }

  /** Lets the session end in good order. Resolves when nothing is left of it. */
  stop(): Promise<void> {
    this.#running = false;
    if (this.#session === null && this.#socket === null) {
      this.#cancelTimer();
      return Promise.resolve();
    }
    return new Promise((resolve) => {
      this.#stopped.push(resolve);
      if (this.#session === null) this.#socket?.destroy();
      else this.#session.stop();
    });
  }

  #connect(): void {
    const { host, port, tls, session } = this.#settings;
    const socket = tls === null ? connectPlain({ host, port }) : connectTls({ host, port, ...tlsOptions(host, tls) });
    this.#socket = socket;
    let failure: CloseReason = { kind: 'closed_by_peer' };
    const failed = (error: Error): void => {
      failure = { kind: 'connection_failed', why: error.message };
    };
    const closed = (): void => this.#lost(this.#running ? failure : { kind: 'closed_by_us' });
    socket.on('error', failed);
    socket.once('close', closed);
    this.#cancelTimer = this.#clock.after(session.bind_timeout_ms, () => {
      socket.destroy(new Error(`${host}:${port} did not accept the connection within ${session.bind_timeout_ms} ms`));
    });
    socket.once(tls === null ? 'connect' : 'secureConnect', () => {
      this.#cancelTimer();
      socket.off('close', closed);
      this.#open(socket);
    });
  }

  #open(socket: Socket): void {
    const { session: settings, bind } = this.#settings;
    const session: Session = new Session({
      role: 'esme',
      settings,
      clock: this.#clock,
      owner: {
        onBound: (bound) => this.#bound(session, bound),
        onRequest: (pdu, respond) => this.#owner.onRequest(session, pdu, respond),
        onAlert: (pdu) => this.#owner.onAlert?.(session, pdu),
        onCanSend: () => this.#owner.onCanSend?.(session),
        onClosed: (reason) => this.#lost(reason),
      },
      openWire: (listener) => new Connection(socket, this.#clock, settings.pdu_octets_max, listener),
    });
    this.#session = session;
    session.bind(bindBody(bind, settings.interface_version));
  }

  #bound(session: Session, bound: Bound): void {
    this.#bound_at_ms = this.#clock.now_ms();
    this.#owner.onBound(session, bound);
  }

  #lost(reason: CloseReason): void {
    const held_ms = this.#bound_at_ms === null ? 0 : this.#clock.now_ms() - this.#bound_at_ms;
    if (held_ms >= this.#settings.stable_ms) this.#attempt = 0;
    this.#bound_at_ms = null;
    this.#session = null;
    this.#socket = null;
    this.#cancelTimer();
    if (!this.#running) {
      this.#owner.onLost(reason, null);
      for (const resolve of this.#stopped.splice(0)) resolve();
      return;
    }
    const retry_in_ms = backoffMs(this.#attempt, this.#settings.backoff, this.#random);
    this.#attempt += 1;
    this.#cancelTimer = this.#clock.after(retry_in_ms, () => this.#connect());
    this.#owner.onLost(reason, retry_in_ms);
  }
}

/** The name is sent to the server only where it is one (RFC 6066 section 3); the certificate is checked against either. */
function tlsOptions(host: string, tls: ClientTls): ClientTls {
  return { rejectUnauthorized: true, ...(isIP(host) === 0 ? { servername: host } : {}), ...tls };
}
