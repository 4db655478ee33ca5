import { bindBody } from './client.ts';
import type { BindIdentity, ClientOwner } from './client.ts';
import type { Clock } from './clock.ts';
import type { Door } from './doors.ts';
import type { Header, OutbindBody } from './pdu.ts';
import { Reception } from './reception.ts';
import type { ReceptionSettings, Visitor } from './reception.ts';
import type { SessionOwner } from './session_owner.ts';

/** As of a client; nothing is tried again, as it is the SMSC who connects. */
export interface OutbindOwner extends ClientOwner {
  /** As whom to bind to the SMSC that gave this name and password, within the limits of a bind; null turns it away. */
  onOutbind(pdu: OutbindBody & Header, address: string): BindIdentity | null;
  onFault(error: unknown): void;
}

/** Waits for SMSCs that connect to us and send an outbind (SMPP 3.4 section 2.2.1), then binds on their connection. */
export class OutbindListener {
  readonly #settings: ReceptionSettings;
  readonly #owner: OutbindOwner;
  readonly #reception: Reception;

  constructor(settings: ReceptionSettings, owner: OutbindOwner, clock: Clock) {
    this.#settings = settings;
    this.#owner = owner;
    this.#reception = new Reception({
      ...{ role: 'esme', settings, clock },
      ownerOf: (visitor) => this.#ownerOf(visitor),
      onFault: (error) => owner.onFault(error),
    });
  }

  /** Resolves with the ports, in the order of the doors. Rejects where one of the addresses cannot be taken. */
  listen(doors: readonly Door[]): Promise<number[]> {
    return this.#reception.open(doors);
  }

  /** Unbinds all; resolves when the last is gone. */
  close(): Promise<void> {
    return this.#reception.close();
  }

  #ownerOf(visitor: Visitor): SessionOwner {
    return {
      onOutbind: (pdu) => this.#takeOutbind(visitor, pdu),
      onBound: (bound) => this.#owner.onBound(visitor.session, bound),
      onRequest: (pdu, respond) => this.#owner.onRequest(visitor.session, pdu, respond),
      onAlert: (pdu) => this.#owner.onAlert?.(visitor.session, pdu),
      onCanSend: () => this.#owner.onCanSend?.(visitor.session),
      onClosed: (reason) => this.#owner.onLost(reason, null),
    };
  }

  #takeOutbind({ session, address }: Visitor, pdu: OutbindBody & Header): void {
    const identity = this.#owner.onOutbind(pdu, address);
    if (identity === null) session.stop();
    else session.bind(bindBody(identity, this.#settings.session.interface_version));
  }
}
