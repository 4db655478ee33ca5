import type { Clock } from './clock.ts';
import type { CloseReason } from './close_reason.ts';
import type { Door } from './doors.ts';
import type { BindBody, Header, OutbindBody } from './pdu.ts';
import { Reception } from './reception.ts';
import type { ReceptionSettings, Visitor } from './reception.ts';
import type { Session } from './session.ts';
import type { BindAnswer, Bound, Respond, ServedPdu, SessionOwner } from './session_owner.ts';
import { STATUS } from './status.ts';
import type { ServerTls } from './tls_settings.ts';

export interface BindRequest {
  pdu: BindBody & Header;
  /** The peer's address without its port. */
  address: string;
  /** Over TLS. */
  is_secure: boolean;
}

export interface OutbindRequest {
  pdu: OutbindBody & Header;
  /** The peer's address without its port. */
  address: string;
  /** Over TLS. */
  is_secure: boolean;
  session: Session;
}

/** Whoever a server works for. */
export interface ServerOwner {
  /** Rejecting is an outage: the peer hears ESME_RSYSERR and `onFault` the error. */
  onBind(request: BindRequest): Promise<BindAnswer>;
  /**
   * An SMSC came to us, to be bound to (SMPP 3.4 section 2.2.1): whoever owns its session from now on, and has it bind; null turns it
   * away, as does having no such method.
   */
  onOutbind?(request: OutbindRequest): SessionOwner | null;
  onBound(session: Session, bound: Bound, is_secure: boolean): void;
  onRequest(session: Session, pdu: ServedPdu, respond: Respond): void;
  onCanSend?(session: Session): void;
  /** Of every connection that was let in, bound or not, but for those that became another's. */
  onClosed(session: Session, reason: CloseReason): void;
  onFault(error: unknown): void;
}

/** An SMSC's listener: one session a connection. Whoever connects too often, or does not bind in time, is cut off. */
export class Server {
  readonly #owner: ServerOwner;
  readonly #reception: Reception;

  constructor(settings: ReceptionSettings, owner: ServerOwner, clock: Clock) {
    this.#owner = owner;
    this.#reception = new Reception({
      ...{ role: 'smsc', settings, clock },
      ownerOf: (visitor) => this.#ownerOf(visitor),
      onFault: (error) => owner.onFault(error),
    });
  }

  get sessions(): ReadonlySet<Session> {
    return this.#reception.sessions;
  }

  /** Connections that were turned away at the doors. */
  get turned_away(): number {
    return this.#reception.turned_away;
  }

  /** Resolves with the ports, in the order of the doors. Rejects where one of the addresses cannot be taken. */
  listen(doors: readonly Door[]): Promise<number[]> {
    return this.#reception.open(doors);
  }

  /** Of those who connect over TLS from now on. @throws Error where it cannot be used. */
  renew(tls: ServerTls): void {
    this.#reception.renew(tls);
  }

  /** Takes no more connections and unbinds all. Resolves when the last is gone, within the time limits of the sessions. */
  close(): Promise<void> {
    return this.#reception.close();
  }

  #ownerOf(visitor: Visitor): SessionOwner {
    const { address, is_secure } = visitor;
    const ours: SessionOwner = {
      onBindRequest: (pdu, answer) => this.#decide({ pdu, address, is_secure }, answer),
      onBound: (bound) => this.#owner.onBound(visitor.session, bound, is_secure),
      onRequest: (pdu, respond) => this.#owner.onRequest(visitor.session, pdu, respond),
      onCanSend: () => this.#owner.onCanSend?.(visitor.session),
      onClosed: (reason) => this.#owner.onClosed(visitor.session, reason),
    };
    let owner = ours;
    return {
      onBindRequest: (pdu, answer) => owner.onBindRequest?.(pdu, answer),
      onOutbind: (pdu) => {
        const other = this.#owner.onOutbind?.({ pdu, address, is_secure, session: visitor.session }) ?? null;
        if (other === null) visitor.session.stop();
        else owner = other;
      },
      onBound: (bound) => owner.onBound(bound),
      onRequest: (pdu, respond) => owner.onRequest(pdu, respond),
      onAlert: (pdu) => owner.onAlert?.(pdu),
      onCanSend: () => owner.onCanSend?.(),
      onClosed: (reason) => owner.onClosed(reason),
    };
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
