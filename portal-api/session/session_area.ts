import { z } from 'zod';
import type { Area, PortalContext } from '../context.ts';
import { instantOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { Identity } from '../identity/identity.ts';
import { EVERY_ADMIN, EVERY_CUSTOMER } from '../identity/policy.ts';
import type { Session } from '../identity/sessions.ts';
import { isUndeliverable } from '../notices/bounce_rows.ts';
import { revokeSessions } from './revocations.ts';
import { clearedCookie } from './session_cookie.ts';
import { signedInOf } from '../identity/whose.ts';

/** Who is signed in where, and the end of it. */
export function sessionArea(context: PortalContext): Area {
  return {
    routes: [readSession(context), signOut(context), listSessions(context), revokeSession(context)],
    tasks: [revokeSessions(context)],
  };
}

const signedIn = { customer: EVERY_CUSTOMER, admin: EVERY_ADMIN };

const sessionShape = z
  .object({
    kind: z.enum(['customer', 'admin']),
    user_id: uuid,
    account_id: uuid.nullable(),
    role: z.enum(['owner', 'billing', 'member']).nullable(),
    admin_roles: z.array(z.string()),
    /** Mail to your address comes back: nothing but codes is sent there. */
    email_is_undeliverable: z.boolean(),
    /** To be sent as X-CSRF-Token with everything that changes something. */
    csrf_token: z.string(),
  })
  .meta({ id: 'Session' });

function readSession({ pool, sessions }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/session',
      operation_id: 'read_session',
      summary: 'Who is signed in here.',
      tag: 'sessions',
      policy: signedIn,
      answers: { 200: { description: 'The session.', json: sessionShape } },
    },
    async ({ identity }) => {
      const own = await ownSession(sessions, identity);
      const { kind, user_id, account_id, role, admin_roles, csrf_token } = own;
      const email_is_undeliverable = await isUndeliverable(pool, user_id);
      const body = { kind, user_id, account_id, role, admin_roles, email_is_undeliverable, csrf_token };
      return { status: 200, body };
    },
  );
}

function signOut({ sessions, cookie_name }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/session',
      operation_id: 'sign_out',
      summary: 'Sign out here.',
      tag: 'sessions',
      policy: signedIn,
      answers: { 204: { description: 'Signed out.', empty: true } },
    },
    async ({ identity }) => {
      const { user_id, session_id } = signedInOf(identity);
      await sessions.revoke(user_id, session_id);
      return { status: 204, cookies: [clearedCookie(cookie_name)] };
    },
  );
}

const listed = z.object({
  session_id: z.string(),
  is_this: z.boolean(),
  created_at: instantOut,
  seen_at: instantOut,
  address: z.string(),
  user_agent: z.string(),
});

function listSessions({ sessions }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/sessions',
      operation_id: 'list_sessions',
      summary: 'Where you are signed in.',
      tag: 'sessions',
      policy: signedIn,
      answers: { 200: { description: 'The last used one first.', json: z.object({ items: z.array(listed) }) } },
    },
    async ({ identity }) => {
      const { user_id, session_id: own_id } = signedInOf(identity);
      const all = await sessions.list(user_id);
      return { status: 200, body: { items: all.map((session) => listedOf(session, own_id)) } };
    },
  );
}

function revokeSession({ sessions }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/sessions/{session_id}',
      operation_id: 'revoke_session',
      summary: 'Sign out elsewhere.',
      tag: 'sessions',
      policy: signedIn,
      params: z.object({ session_id: z.string().regex(/^[A-Za-z0-9_-]{43}$/u) }),
      answers: { 204: { description: 'From now on nobody is signed in by it.', empty: true } },
    },
    async ({ identity, params }) => {
      const { user_id } = signedInOf(identity);
      if (!(await sessions.revoke(user_id, params.session_id))) throw new Problem('not_found');
      return { status: 204 };
    },
  );
}

async function ownSession(sessions: PortalContext['sessions'], identity: Identity): Promise<Session> {
  const { user_id, session_id } = signedInOf(identity);
  const own = (await sessions.list(user_id)).find((session) => session.session_id === session_id);
  if (own === undefined) throw new Problem('sign_in_required');
  return own;
}

function listedOf(session: Session & { session_id: string }, own_id: string): z.input<typeof listed> {
  return {
    session_id: session.session_id,
    is_this: session.session_id === own_id,
    created_at: new Date(session.created_at_ms),
    seen_at: new Date(session.seen_at_ms),
    address: session.address,
    user_agent: session.user_agent,
  };
}
