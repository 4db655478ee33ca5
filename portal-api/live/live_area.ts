import type { Readable } from 'node:stream';
import { Listener } from '../../domain/db/listener.ts';
import type { Area, PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { customerOf } from '../identity/whose.ts';
import { LiveHub } from './live_hub.ts';

const RETRY_MS = 500;

/** What happens, as it happens. */
export function liveArea({ pool, settings, now, log }: PortalContext): Area {
  const hub = new LiveHub({ db: pool, now, log });
  const listener = new Listener({
    database_url: settings.DATABASE_URL,
    channels: { portal_live: (payload) => hub.notified(payload) },
    onConnected: () => undefined,
    onLost: (error) => log.warn({ err: error }, 'what is live is not heard; connecting again'),
    retry_ms: RETRY_MS,
  });
  return {
    routes: [customerEvents(hub), adminEvents(hub)],
    tasks: [],
    start: async () => {
      await listener.start();
      hub.start();
    },
    stop: async () => {
      hub.stop();
      await listener.stop();
    },
  };
}

const answers = {
  200: { description: 'Server-sent events, for as long as you listen.', media: 'text/event-stream' },
} as const;
const headers = { 'content-type': 'text/event-stream', 'x-accel-buffering': 'no' };

function customerEvents(hub: LiveHub): Route {
  return route(
    {
      method: 'get',
      path: '/v1/events',
      operation_id: 'listen',
      summary: 'Your calls each second, and what becomes of texts, orders and payments.',
      tag: 'live',
      policy: { customer: EVERY_CUSTOMER },
      answers,
    },
    ({ identity, signal }) =>
      Promise.resolve({ status: 200, headers, bytes: listen(hub, customerOf(identity).account_id, signal) }),
  );
}

function adminEvents(hub: LiveHub): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/events',
      operation_id: 'listen_as_admin',
      summary: 'What changes for whom: orders, payments, cases; ids only.',
      tag: 'live',
      policy: { admin: ['support', 'operations', 'owner'] },
      answers,
    },
    ({ signal }) => Promise.resolve({ status: 200, headers, bytes: listen(hub, null, signal) }),
  );
}

function listen(hub: LiveHub, account_id: string | null, signal: AbortSignal): Readable {
  const stream = hub.listen(account_id, signal);
  if (stream === null) throw new Problem('too_many', 'Close another window that listens, and ask again.');
  return stream;
}
