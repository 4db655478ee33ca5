import type { PassThrough } from 'node:stream';
import { z } from 'zod';
import { Listener } from '../../domain/db/listener.ts';
import { viewOnRecord } from '../audit/view_on_record.ts';
import type { Area, PortalContext } from '../context.ts';
import { LiveWatch } from '../desk/live_watch.ts';
import { line } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { adminOf, customerOf } from '../identity/whose.ts';
import { LiveHub } from './live_hub.ts';

const RETRY_MS = 500;

/** What happens, as it happens. */
export function liveArea({ pool, settings, sessions, now, log }: PortalContext): Area {
  const sessionsOver = (session_ids: readonly string[]) => sessions.over(session_ids);
  const hub = new LiveHub({ db: pool, sessionsOver, now, log });
  const watch = new LiveWatch({ db: pool, log });
  const listener = new Listener({
    database_url: settings.DATABASE_URL,
    channels: { portal_live: (payload) => hub.notified(payload) },
    onConnected: () => undefined,
    onLost: (error) => log.warn({ err: error }, 'what is live is not heard; connecting again'),
    retry_ms: RETRY_MS,
  });
  return {
    routes: [customerEvents(hub), adminEvents(hub, watch, pool)],
    tasks: [],
    start: async () => {
      await listener.start();
      hub.start();
    },
    stop: async () => {
      watch.stop();
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
      Promise.resolve({ status: 200, headers, bytes: listen(hub, customerOf(identity), signal) }),
  );
}

/** Without a purpose nothing personal is told. */
const watching = z.object({ purpose: line(500).optional() });

function adminEvents(hub: LiveHub, watch: LiveWatch, pool: PortalContext['pool']): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/events',
      operation_id: 'listen_as_admin',
      summary:
        'What changes for whom: orders, payments, cases; ids only. With a purpose, which goes on record, calls and texts as well, masked.',
      tag: 'live',
      policy: { admin: ['support', 'operations', 'owner'] },
      query: watching,
      answers,
    },
    async ({ query: { purpose }, identity, now, signal }) => {
      const { user_id, session_id } = adminOf(identity);
      const bytes = listen(hub, { account_id: null, user_id, session_id }, signal);
      if (purpose !== undefined) {
        const view = { action: 'live_events.view', account_id: null, subject: 'live_events', purpose };
        await viewOnRecord(pool, { identity, now }, view, () => watch.add(bytes));
      }
      return { status: 200, headers, bytes };
    },
  );
}

function listen(hub: LiveHub, who: Parameters<LiveHub['listen']>[0], signal: AbortSignal): PassThrough {
  const stream = hub.listen(who, signal);
  if (stream === null) throw new Problem('too_many', 'Close another window that listens, and ask again.');
  return stream;
}
