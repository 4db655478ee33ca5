import { systemClock } from '../clock.ts';
import type { Clock } from '../clock.ts';
import type { CloseReason } from '../close_reason.ts';
import { Server } from '../server.ts';
import type { ServerOwner, ServerSettings } from '../server.ts';
import type { Session } from '../session.ts';
import { SESSION_DEFAULTS } from '../session_settings.ts';
import type { SessionSettings } from '../session_settings.ts';
import { STATUS } from '../status.ts';

export interface ServerStage {
  server: Server;
  port: number;
  /** The reasons of all sessions that ended. */
  closes: CloseReason[];
  bound: Session[];
  faults: unknown[];
}

export interface ServerChanges {
  session?: Partial<SessionSettings>;
  server?: Partial<Omit<ServerSettings, 'session'>>;
  owner?: Partial<ServerOwner>;
  clock?: Clock;
}

/** An SMSC on a free port that takes every bind and answers every request, unless a test wants it otherwise. */
export async function serverStage({ session, server, owner, clock }: ServerChanges = {}): Promise<ServerStage> {
  const told: Pick<ServerStage, 'closes' | 'bound' | 'faults'> = { closes: [], bound: [], faults: [] };
  const listener = new Server(
    {
      host: '127.0.0.1',
      port: 0,
      tls: null,
      connections_max: 1_000,
      connections_per_address_max: 1_000,
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
  const port = await listener.listen();
  return Object.assign(told, { server: listener, port });
}
