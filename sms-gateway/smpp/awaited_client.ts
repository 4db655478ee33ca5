import { bindBody } from './client.ts';
import type { BindIdentity, ClientOwner } from './client.ts';
import type { CloseReason } from './close_reason.ts';
import { encode } from './encode.ts';
import type { Session } from './session.ts';
import type { SessionOwner } from './session_owner.ts';
import type { SessionSettings } from './session_settings.ts';
import { STATUS } from './status.ts';

export interface AwaitedClientSettings {
  bind: BindIdentity;
  /** Of the session once it is ours. */
  session: SessionSettings;
}

export interface AwaitedClientOwner extends Omit<ClientOwner, 'onLost'> {
  /** @param is_over whether it was wished; else the SMSC is awaited again. */
  onLost(reason: CloseReason, is_over: boolean): void;
}

/** Keeps one bind with an SMSC that connects to us and sends an outbind (SMPP 3.4 section 2.2.1): a client that waits to be come to. */
export class AwaitedClient {
  readonly #settings: AwaitedClientSettings;
  readonly #owner: AwaitedClientOwner;
  #session: Session | null = null;
  #is_bound = false;
  #is_running = false;
  #stopped: (() => void)[] = [];

  /** @throws EncodeError where a field of the bind is too long: found now, not when somebody comes. */
  constructor(settings: AwaitedClientSettings, owner: AwaitedClientOwner) {
    const { bind, session } = settings;
    encode({ ...bindBody(bind, session.interface_version), command_status: STATUS.ESME_ROK, sequence_number: 1 });
    this.#settings = settings;
    this.#owner = owner;
  }

  /** The session while it is bound. */
  get session(): Session | null {
    return this.#is_bound ? this.#session : null;
  }

  /** Whether nobody has come yet, or nobody is there any more. */
  get is_awaiting(): boolean {
    return this.#is_running && this.#session === null;
  }

  start(): void {
    this.#is_running = true;
  }

  /** Binds to the SMSC that came; to be called while `is_awaiting`. Gives the session's owner from now on. */
  take(session: Session): SessionOwner {
    if (!this.is_awaiting) throw new Error('An SMSC came to a bind that has one already.');
    const { bind, session: settings } = this.#settings;
    this.#session = session;
    session.bind(bindBody(bind, settings.interface_version), settings);
    return {
      onBound: (bound) => {
        this.#is_bound = true;
        this.#owner.onBound(session, bound);
      },
      onRequest: (pdu, respond) => this.#owner.onRequest(session, pdu, respond),
      onAlert: (pdu) => this.#owner.onAlert?.(session, pdu),
      onCanSend: () => this.#owner.onCanSend?.(session),
      onClosed: (reason) => this.#lost(reason),
    };
  }

  /** Lets the session end in good order. Resolves when nothing is left of it. */
  stop(): Promise<void> {
    this.#is_running = false;
    const session = this.#session;
    if (session === null) return Promise.resolve();
    return new Promise((resolve) => {
      this.#stopped.push(resolve);
      session.stop();
    });
  }

  #lost(reason: CloseReason): void {
    this.#session = null;
    this.#is_bound = false;
    this.#owner.onLost(reason, !this.#is_running);
    for (const resolve of this.#stopped.splice(0)) resolve();
  }
}
