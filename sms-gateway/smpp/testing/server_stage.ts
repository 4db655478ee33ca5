import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import type { CloseReason } from '../close_reason.ts';
import type { Door } from '../doors.ts';
import type { ReceptionSettings } from '../reception.ts';
import { Server } from '../server.ts';
import type { ServerOwner } from '../server.ts';
import type { Session } from '../session.ts';
import { SESSION_DEFAULTS } from '../session_settings.ts';
import type { SessionSettings } from '../session_settings.ts';
import { STATUS } from '../status.ts';

export interface ServerStage {
  server: Server;
  /** Of the first door. */
  port: number;
  ports: readonly number[];
  /** The reasons of all sessions that ended. */
  closes: CloseReason[];
  bound: Session[];
  faults: unknown[];
}

export interface ServerChanges {
  session?: Partial<SessionSettings>;
  server?: Partial<Omit<ReceptionSettings, 'session'>>;
  /** One in the clear by default. */
  doors?: readonly Door[];
  owner?: Partial<ServerOwner>;
  clock?: Clock;
}

export const IN_THE_CLEAR: Door = { host: '127.0.0.1', port: 0, tls: null };

/** An SMSC on a free port that takes every bind and answers every request, unless a test wants it otherwise. */
export async function serverStage({
  session,
  server,
  doors = [IN_THE_CLEAR],
  owner,
  clock,
}: ServerChanges = {}): Promise<ServerStage> {
  const told: Pick<ServerStage, 'closes' | 'bound' | 'faults'> = { closes: [], bound: [], faults: [] };
  const listener = new Server(
    {
      connections_max: 1_000,
      connections_per_address_max: 1_000,
      handshake_timeout_ms: 5_000,
      session: { ...SESSION_DEFAULTS, ...session },
      ...server,
    },
    {
      onBind: () => Promise.resolve({ kind: 'accepted', system_id: 'smsc' }),
      onBound: (one) => told.bound.push(one),
      onRequest: (_session, _pdu, respond) => respond(STATUS.ESME_ROK),
      onClosed: (_session, reason) => told.closes.push(reason),
      onFault: (error) => told.faults.push(error),
      ...owner,
    },
    clock ?? systemClock,
  );
  const ports = await listener.listen(doors);
  return Object.assign(told, { server: listener, port: ports[0] ?? 0, ports });
}
