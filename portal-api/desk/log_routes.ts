import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instantOut, line, uuid } from '../http/fields.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { ADMIN_ROLES } from '../identity/identity.ts';
import type { AdminRole } from '../identity/identity.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { adminActor, customerOf } from '../identity/whose.ts';

const seqKey = z.tuple([z.string().regex(/^\d{1,18}$/u)]);
const actorKind = z.enum(['admin', 'customer', 'api_key', 'system']);

export function logRoutes(context: PortalContext): Route[] {
  return [readAccessLog(context), queryAudit(context)];
}

const access = z.object({
  at: instantOut,
  /** Somebody of ours, by what they work as and never by name, or a rule of ours. */
  who: z.enum(['staff', 'system']),
  roles: z.array(z.enum(ADMIN_ROLES)),
  action: z.string(),
  /** Why your data was looked at; null for what was done rather than seen. */
  purpose: z.string().nullable(),
});

interface AccessRow {
  seq: string;
  at: Date;
  actor_kind: 'admin' | 'system';
  action: string;
  purpose: string | null;
  roles: AdminRole[] | null;
}

function readAccessLog({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/access-log',
      operation_id: 'read_access_log',
      summary: 'Who of us saw or changed what is yours, when, and why.',
      tag: 'privacy',
      policy: { customer: EVERY_CUSTOMER },
      query: pageQuery,
      answers: { 200: { description: 'The newest first.', json: pageOf(access) } },
    },
    async ({ identity, query }) => {
      const { account_id } = customerOf(identity);
      const after = decodeCursor(query.cursor, seqKey);
      const { rows } = await pool.query<AccessRow>({
        name: 'access_log',
        text: `select l.seq, l.at, l.actor_kind, l.action, l.purpose,
                      (select u.admin_roles from portal_user u
                        where l.actor_kind = 'admin'
                          and u.id = case when l.actor_id ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then l.actor_id::uuid end)
                        as roles
                 from audit_log l
                where l.account_id = $1 and l.actor_kind in ('admin', 'system') and ($2::bigint is null or l.seq < $2)
                order by l.seq desc limit $3`,
        values: [account_id, after?.[0] ?? null, query.limit + 1],
      });
      const item = ({ at, actor_kind, action, purpose, roles }: AccessRow): z.input<typeof access> => ({
        ...{ at, who: actor_kind === 'admin' ? 'staff' : 'system', roles: roles ?? [], action, purpose },
      });
      return { status: 200, body: page(rows, query.limit, { key: ({ seq }) => [seq], item }) };
    },
  );
}

const entry = z
  .object({
    seq: z.string(),
    at: instantOut,
    actor_kind: actorKind,
    actor_id: z.string(),
    action: z.string(),
    account_id: uuid.nullable(),
    subject: z.string(),
    purpose: z.string().nullable(),
    detail: z.record(z.string(), z.unknown()),
    hash: z.string(),
  })
  .meta({ id: 'AuditEntry' });

const auditQuery = pageQuery.extend({
  account_id: uuid.optional(),
  actor_id: line(100).optional(),
  action: line(100).optional(),
  purpose: line(500),
});

function queryAudit({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/audit',
      operation_id: 'admin_query_audit',
      summary: 'The log of who did and saw what.',
      tag: 'admin audit',
      policy: { admin: ['privacy', 'owner'] },
      query: auditQuery,
      answers: { 200: { description: 'The newest first.', json: pageOf(entry) } },
    },
    async ({ identity, query, now }) => {
      const rows = await inTransaction(pool, async (tx) => {
        const found = await selectEntries(tx, query);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'audit_log.view', account_id: query.account_id ?? null },
          ...{ subject: 'audit_log', purpose: query.purpose },
          detail: { actor_id: query.actor_id ?? null, action: query.action ?? null },
        });
        return found;
      });
      return { status: 200, body: page(rows, query.limit, { key: ({ seq }) => [seq], item: (row) => row }) };
    },
  );
}

async function selectEntries(
  db: Queryable,
  { account_id, actor_id, action, cursor, limit }: z.output<typeof auditQuery>,
): Promise<z.input<typeof entry>[]> {
  const values: unknown[] = [decodeCursor(cursor, seqKey)?.[0] ?? null, limit + 1];
  const conditions = Object.entries({ account_id, actor_id, action }).flatMap(([column, value]) =>
    value === undefined ? [] : [`${column} = $${values.push(value)}`],
  );
  const { rows } = await db.query<z.input<typeof entry>>(
    `select seq, at, actor_kind, actor_id, action, account_id, subject, purpose, detail, encode(hash, 'hex') as hash
       from audit_log where ($1::bigint is null or seq < $1) ${conditions.map((one) => `and ${one}`).join(' ')}
      order by seq desc limit $2`,
    values,
  );
  return rows;
}
