import type { Socket } from 'node:net';
import type { Clock } from './clock.ts';
import { Connection } from './connection.ts';
import { Doors } from './doors.ts';
import type { Door, DoorLimits } from './doors.ts';
import { Session } from './session.ts';
import type { SessionOwner } from './session_owner.ts';
import { SessionSet } from './session_set.ts';
import type { SessionSettings } from './session_settings.ts';
import type { Role } from './session_state.ts';
import type { ServerTls } from './tls_settings.ts';

export interface ReceptionSettings extends DoorLimits {
  session: SessionSettings;
}

/** Who came in. */
export interface Visitor {
  /** Not before the owner is made: nothing is heard of it earlier. */
  readonly session: Session;
  /** Without its port. */
  readonly address: string;
  /** Over TLS. */
  readonly is_secure: boolean;
}

export interface ReceptionParts {
  /** What we are to those who come. */
  role: Role;
  settings: ReceptionSettings;
  clock: Clock;
  ownerOf: (visitor: Visitor) => SessionOwner;
  onFault: (error: unknown) => void;
}

/** Takes in whoever comes by the doors: one session a connection, until it is closed and the last has gone. */
export class Reception {
  readonly #parts: ReceptionParts;
  readonly #doors: Doors;
  readonly #sessions = new SessionSet();

  constructor(parts: ReceptionParts) {
    this.#parts = parts;
    this.#doors = new Doors(parts.settings, {
      onSocket: (socket, is_secure) => this.#takeIn(socket, is_secure),
      onFault: parts.onFault,
    });
  }

  get sessions(): ReadonlySet<Session> {
    return this.#sessions.all;
  }

  /** Connections that were turned away at the doors. */
  get turned_away(): number {
    return this.#doors.turned_away;
  }

  /** Resolves with the ports, in the order of the doors. Rejects where one of the addresses cannot be taken. */
  open(doors: readonly Door[]): Promise<number[]> {
    return this.#doors.open(doors);
  }

  /** Of those who connect over TLS from now on. @throws Error where it cannot be used. */
  renew(tls: ServerTls): void {
    this.#doors.renew(tls);
  }

  /** Takes nobody in any more and unbinds all. Resolves when the last is gone, within the time limits of the sessions. */
  async close(): Promise<void> {
    const { clock, settings } = this.#parts;
    const closed = this.#doors.close();
    const ended = this.#sessions.stopAll();
    // Those in a TLS handshake have no session that could end them.
    const limit_ms = settings.session.drain_timeout_ms + 2 * settings.session.unbind_timeout_ms;
    const cancel = clock.after(limit_ms, () => this.#doors.clear());
    await Promise.all([closed, ended]);
    cancel();
  }

  #takeIn(socket: Socket, is_secure: boolean): void {
    if (socket.destroyed) return;
    const { role, clock, ownerOf, settings } = this.#parts;
    const owner = ownerOf({
      address: socket.remoteAddress ?? 'unknown',
      is_secure,
      get session() {
        return session;
      },
    });
    const session: Session = new Session({
      role,
      settings: settings.session,
      clock,
      owner: {
        ...owner,
        onClosed: (reason) => {
          owner.onClosed(reason);
          this.#sessions.remove(session);
        },
      },
      openWire: (listener) => new Connection(socket, clock, settings.session.pdu_octets_max, listener),
    });
    this.#sessions.add(session);
    // What came in through a door while it was closing.
    if (!this.#doors.are_open) session.stop();
  }
}
