import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instantOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { queueRevocation } from '../session/revocations.ts';
import { clearedCookie } from '../session/session_cookie.ts';
import { queueReset } from './reset_routes.ts';
import { auditContactsBack, setContactsBack } from './undo_contacts.ts';
import { undoDisowned } from './undo_disowned.ts';
import { SIGNED_IN } from './who_is_signed_in.ts';
import { signedInOf } from '../identity/whose.ts';

/** Who signed in when, and that it was not the one it should have been. */
export function loginEventRoutes(context: PortalContext): Route[] {
  return [listEvents(context), disown(context)];
}

const eventShape = z.object({
  login_event_id: uuid,
  at: instantOut,
  method: z.enum(['registration', 'password', 'passkey', 'google', 'totp', 'recovery_code']),
  result: z.enum(['signed_in', 'refused']),
  /** Only its network, once it is old. */
  address: z.string().nullable(),
  user_agent: z.string(),
  is_new_device: z.boolean(),
  disowned_at: instantOut.nullable(),
});

type EventRow = z.input<typeof eventShape>;

function listEvents({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/login-events',
      operation_id: 'list_login_events',
      summary: 'Sign-ins to your account, and those that were refused.',
      tag: 'sessions',
      policy: SIGNED_IN,
      query: pageQuery,
      answers: { 200: { description: 'The newest first.', json: pageOf(eventShape) } },
    },
    async ({ identity, query }) => {
      const { user_id } = signedInOf(identity);
      const after = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), z.uuid()]));
      const rows = await selectEvents(pool, user_id, after, query.limit + 1);
      const shown = page(rows, query.limit, {
        key: ({ at, login_event_id }) => [at.toISOString(), login_event_id],
        item: (row) => row,
      });
      return { status: 200, body: shown };
    },
  );
}

async function selectEvents(
  db: Queryable,
  user_id: string,
  after: readonly [string, string] | null,
  rows_max: number,
): Promise<EventRow[]> {
  const { rows } = await db.query<EventRow>({
    name: 'login_events',
    // The database counts microseconds and a cursor milliseconds: what is between them has to be shown again rather than left out.
    text: `select id as login_event_id, date_trunc('milliseconds', at) as at, method, result, abbrev(address) as address, user_agent,
                  is_new_device, disowned_at
             from login_event
            where user_id = $1 and ($2::timestamptz is null or (date_trunc('milliseconds', at), id) < ($2, $3::uuid))
            order by date_trunc('milliseconds', at) desc, id desc limit $4`,
    values: [user_id, after?.[0] ?? null, after?.[1] ?? null, rows_max],
  });
  return rows;
}

function disown(context: PortalContext): Route {
  const { pool, sessions, cookie_name } = context;
  return route(
    {
      method: 'post',
      path: '/v1/login-events/{login_event_id}/not-me',
      operation_id: 'disown_login',
      summary:
        'It was not you: everybody is signed out, what was made since then is undone, where you are reached too, and nobody signs in before a new password was set by mail.',
      tag: 'sessions',
      policy: SIGNED_IN,
      params: z.object({ login_event_id: uuid }),
      answers: { 204: { description: 'You are signed out too. A code is on its way to your address.', empty: true } },
      problems: ['not_found', 'conflict'],
    },
    async ({ identity, params, now, address }) => {
      const { user_id } = signedInOf(identity);
      const revocations = await inTransaction(pool, async (tx) => {
        const { rows } = await tx.query<{ at: Date; result: string }>(
          `update login_event set disowned_at = coalesce(disowned_at, $3) where id = $1 and user_id = $2 returning at, result`,
          [params.login_event_id, user_id, now],
        );
        const event = rows[0];
        if (event === undefined) throw new Problem('not_found');
        if (event.result === 'refused') {
          throw new Problem('conflict', 'Nobody came in there. Change your password if it worries you.');
        }
        await tx.query('update portal_user set password_argon2 = null where id = $1', [user_id]);
        await tx.query(
          `insert into reset_due (user_id, since) values ($1, $2)
           on conflict (user_id) do update set since = least(reset_due.since, excluded.since)`,
          [user_id, event.at],
        );
        const since = event.at;
        const back = await setContactsBack(context, tx, now, { user_id, since, address });
        await queueReset(tx, user_id);
        const own = await queueRevocation(tx, { user_id, account_id: null, except: null });
        const others = await undoDisowned(context, tx, now, { user_id, since });
        await auditContactsBack(tx, now, user_id, back);
        return [own, ...others];
      });
      for (const revocation of revocations) await sessions.carryOut(revocation);
      return { status: 204, cookies: [clearedCookie(cookie_name)] };
    },
  );
}

const DAY_MS = 86_400_000;

/** Each night: what sign-in leaves behind is forgotten when its time is over. */
export function forgetSignIns({ pool, now, settings }: PortalContext): Task {
  return task(
    'forget_sign_ins',
    z.object({}),
    async () => {
      const before = (days: number): Date => new Date(now().getTime() - days * DAY_MS);
      await pool.query('delete from login_event where at < $1', [before(settings.LOGIN_EVENT_DAYS)]);
      await pool.query(
        `update login_event set address = network(set_masklen(address, case family(address) when 4 then 24 else 48 end))
          where at < $1 and address is not null and masklen(address) = case family(address) when 4 then 32 else 128 end`,
        [before(settings.LOGIN_ADDRESS_DAYS)],
      );
      await pool.query(
        `update profile_change set address = network(set_masklen(address, case family(address) when 4 then 24 else 48 end))
          where at < $1 and address is not null and masklen(address) = case family(address) when 4 then 32 else 128 end`,
        [before(settings.LOGIN_ADDRESS_DAYS)],
      );
      await pool.query('delete from identity_challenge where expires_at < $1', [now()]);
      await pool.query('delete from guess_count where window_began_at < $1', [before(1)]);
    },
    '23 3 * * *',
  );
}
