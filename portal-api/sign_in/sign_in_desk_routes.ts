import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import { timeQuery, viewOnRecord, viewQuery } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf } from '../http/cursor.ts';
import { instantOut, line, uuid } from '../http/fields.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { endSessions } from './end_sessions.ts';
import { mustHaveAccount, peopleOf } from './people_of_account.ts';

const policy = { admin: ['support', 'owner'] } as const;
const tag = 'admin customers';
const params = z.object({ account_id: uuid });

/** Who signed in to a customer’s account, who is signed in now, and the end of that. */
export function signInDeskRoutes(context: PortalContext): Route[] {
  return [listSignIns(context), listSessions(context), endSessions(context)];
}

const signInShape = z
  .object({
    login_event_id: uuid,
    user_id: uuid,
    at: instantOut,
    method: z.enum(['registration', 'password', 'passkey', 'google', 'totp', 'recovery_code']),
    result: z.enum(['signed_in', 'refused']),
    /** Only its network, once it is old. */
    address: z.string().nullable(),
    /** What the program calls itself. */
    user_agent: z.string(),
    is_new_device: z.boolean(),
    /** When the customer said that it was not him. */
    disowned_at: instantOut.nullable(),
  })
  .meta({ id: 'SignInAtTheDesk' });

type SignInRow = Omit<z.input<typeof signInShape>, 'at'> & { at: Date };

const signInQuery = viewQuery.omit({ account_id: true }).extend({
  user_id: uuid.optional(),
  result: signInShape.shape.result.optional(),
  ...timeQuery,
});

function listSignIns({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/customers/{account_id}/sign-ins',
      operation_id: 'admin_list_sign_ins',
      summary:
        'Sign-ins of whoever may act for an account, and those that were refused. That you saw them is on record.',
      tag,
      policy,
      params,
      query: signInQuery,
      answers: { 200: { description: 'The newest first.', json: pageOf(signInShape) } },
      problems: ['not_found'],
    },
    async ({ params: { account_id }, query, identity, now }) => {
      const after = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), uuid]));
      const view = { action: 'sign_ins.view', account_id, subject: `account:${account_id}`, purpose: query.purpose };
      const rows = await viewOnRecord(pool, { identity, now }, view, async (tx) => {
        await mustHaveAccount(tx, account_id);
        return selectSignIns(tx, account_id, query, after);
      });
      const key = ({ at, login_event_id }: SignInRow) => [at.toISOString(), login_event_id];
      return { status: 200, body: page(rows, query.limit, { key, item: (row) => row }) };
    },
  );
}

async function selectSignIns(
  db: Queryable,
  account_id: string,
  { user_id, result, from, to, limit }: z.output<typeof signInQuery>,
  after: readonly [string, string] | null,
): Promise<SignInRow[]> {
  const { rows } = await db.query<SignInRow>(
    // The database counts microseconds and a cursor milliseconds: what is between them has to be shown again rather than left out.
    `select e.id as login_event_id, e.user_id, date_trunc('milliseconds', e.at) as at, e.method, e.result, abbrev(e.address) as address,
            e.user_agent, e.is_new_device, e.disowned_at
       from login_event e
      where e.user_id in (select m.user_id from membership m where m.account_id = $1)
        and ($2::uuid is null or e.user_id = $2) and ($3::text is null or e.result = $3)
        and ($4::timestamptz is null or e.at >= $4) and ($5::timestamptz is null or e.at < $5)
        and ($6::timestamptz is null or (date_trunc('milliseconds', e.at), e.id) < ($6, $7::uuid))
      order by date_trunc('milliseconds', e.at) desc, e.id desc limit $8`,
    [
      ...[account_id, user_id ?? null, result ?? null, from ?? null, to ?? null],
      ...[after?.[0] ?? null, after?.[1] ?? null, limit + 1],
    ],
  );
  return rows;
}

const sessionShape = z
  .object({
    user_id: uuid,
    /** As whom of the account; null: for another account that this person may use. */
    role: z.enum(['owner', 'billing', 'member']).nullable(),
    created_at: instantOut,
    seen_at: instantOut,
    address: z.string(),
    user_agent: z.string(),
  })
  .meta({ id: 'SessionAtTheDesk' });

const SESSIONS_MAX = 500;

function listSessions({ pool, sessions }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/customers/{account_id}/sessions',
      operation_id: 'admin_list_sessions',
      summary: 'Where whoever may act for an account is signed in right now. That you saw it is on record.',
      tag,
      policy,
      params,
      query: z.object({ purpose: line(500) }),
      answers: {
        200: {
          description: `The ${SESSIONS_MAX} that were used last.`,
          json: z.object({ items: z.array(sessionShape) }),
        },
      },
      problems: ['not_found'],
    },
    async ({ params: { account_id }, query: { purpose }, identity, now }) => {
      const view = { action: 'sessions.view', account_id, subject: `account:${account_id}`, purpose };
      const people = await viewOnRecord(pool, { identity, now }, view, async (tx) => {
        await mustHaveAccount(tx, account_id);
        return peopleOf(tx, account_id);
      });
      const found = (await Promise.all(people.map((user_id) => sessions.list(user_id)))).flat();
      const items = found
        .sort((a, b) => b.seen_at_ms - a.seen_at_ms)
        .slice(0, SESSIONS_MAX)
        .map(({ user_id, role, created_at_ms, seen_at_ms, address, user_agent, ...session }) => ({
          ...{ user_id, role: session.account_id === account_id ? role : null, address, user_agent },
          ...{ created_at: new Date(created_at_ms), seen_at: new Date(seen_at_ms) },
        }));
      return { status: 200, body: { items } };
    },
  );
}
