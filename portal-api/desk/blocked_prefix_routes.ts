import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import type { AuditActor } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor } from '../identity/whose.ts';
import * as rows from './blocked_prefix_rows.ts';
import type { BlockedPrefix } from './blocked_prefix_rows.ts';

const WHO = { admin: ['support', 'operations', 'owner'] } as const;

const prefixField = z.string().regex(/^\+[1-9][0-9]{0,14}$/u);

const blockedShape = z
  .object({
    blocked_id: uuid,
    /** With + and the calling code; a whole number too. */
    prefix: prefixField,
    reason: z.string(),
    set_by: z.string(),
    set_at: instantOut,
    version: z.int(),
  })
  .meta({ id: 'BlockedPrefix' });

const toldOf = ({ id: blocked_id, ...row }: BlockedPrefix): z.input<typeof blockedShape> => ({ blocked_id, ...row });

const params = z.object({ blocked_id: uuid });

/** Numbers that nobody proves by a code: none is sent to them. Whoever has proven one before keeps it. */
export function blockedPrefixRoutes(context: PortalContext): Route[] {
  return [list(context), block(context), edit(context), unblock(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/blocked-prefixes',
      operation_id: 'admin_list_blocked_prefixes',
      summary: 'Beginnings of numbers that no codes are sent to.',
      tag: 'admin codes',
      policy: WHO,
      query: pageQuery,
      answers: { 200: { description: 'In the order of their digits.', json: pageOf(blockedShape) } },
    },
    async ({ query }) => {
      const after = decodeCursor(query.cursor, z.tuple([prefixField]))?.[0] ?? null;
      const found = await rows.listBlocked(pool, after, query.limit + 1);
      return { status: 200, body: page(found, query.limit, { key: ({ prefix }) => [prefix], item: toldOf }) };
    },
  );
}

function block({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/blocked-prefixes',
      operation_id: 'admin_block_prefix',
      summary: 'Send no codes to numbers that begin so, from now on.',
      tag: 'admin codes',
      policy: WHO,
      idempotent: true,
      body: z.object({ prefix: prefixField, reason: line(500) }),
      answers: { 201: { description: 'Blocked, and its ETag.', json: blockedShape } },
      problems: ['conflict'],
    },
    async ({ body, identity, operation_id: id, now }) => {
      const actor = adminActor(identity);
      const row = await inTransaction(pool, async (tx) => {
        const made = await rows.insertBlocked(tx, { id, ...body, set_by: actor.id, set_at: now });
        if (made === null)
          throw new Problem('conflict', `${body.prefix} is blocked already; see its reason in the list.`);
        await audit(tx, actor, 'blocked_prefix.add', made, now);
        return made;
      });
      return { status: 201, body: toldOf(row), version: row.version };
    },
  );
}

function edit({ pool }: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/blocked-prefixes/{blocked_id}',
      operation_id: 'admin_edit_blocked_prefix',
      summary: 'Say another reason.',
      tag: 'admin codes',
      policy: WHO,
      params,
      versioned: true,
      body: z.object({ reason: line(500) }),
      answers: { 200: { description: 'As it is now, and its ETag.', json: blockedShape } },
    },
    async ({ params: { blocked_id }, body, version, identity, now }) => {
      const actor = adminActor(identity);
      const row = await inTransaction(pool, async (tx) => {
        const locked = await rows.lockBlocked(tx, blocked_id);
        if (locked === null) throw new Problem('not_found');
        if (locked.version !== version) {
          throw new Problem('version_conflict', 'Somebody else has edited it. Read it again.');
        }
        const edited = await rows.updateBlocked(tx, { ...locked, reason: body.reason, set_by: actor.id, set_at: now });
        await audit(tx, actor, 'blocked_prefix.edit', edited, now);
        return edited;
      });
      return { status: 200, body: toldOf(row), version: row.version };
    },
  );
}

function unblock({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/admin/blocked-prefixes/{blocked_id}',
      operation_id: 'admin_unblock_prefix',
      summary: 'Send codes there again.',
      tag: 'admin codes',
      policy: WHO,
      params,
      answers: { 204: { description: 'Unblocked.', empty: true } },
    },
    async ({ params: { blocked_id }, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        const gone = await rows.deleteBlocked(tx, blocked_id);
        if (gone === null) throw new Problem('not_found');
        await audit(tx, adminActor(identity), 'blocked_prefix.remove', gone, now);
      });
      return { status: 204 };
    },
  );
}

function audit(tx: Transaction, actor: AuditActor, action: string, row: BlockedPrefix, now: Date): Promise<void> {
  const { id, prefix, reason } = row;
  const subject = `blocked_prefix:${id}`;
  return appendAudit(tx, { at: now, actor, action, account_id: null, subject, detail: { prefix, reason } });
}
