import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import type { AuditActor } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instant, instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_ADMIN } from '../identity/policy.ts';
import { adminActor, adminOf } from '../identity/whose.ts';
import {
  allDocuments,
  insertDraft,
  lockDocument,
  readDocument,
  scheduleDocument,
  updateDraft,
  versionInEachLanguage,
} from './document_rows.ts';
import type { DocumentRow } from './document_rows.ts';
import { stepDocument } from './document_state.ts';
import { beginTelling, bringIntoForce, isNews } from './legal_tasks.ts';
import { kindField, listedDocument, listedOf, localeField, wholeDocument, wholeOf } from './public_routes.ts';

const WHO_WRITES = { admin: ['privacy', 'owner'] } as const;
const WHO_PUBLISHES = { admin: ['owner'], step_up: true } as const;

const words = {
  title: line(200),
  body: z
    .string()
    .min(1)
    .max(150_000)
    .regex(/^(?:[^\p{Cc}\p{Cs}]|[\n\t])*$/u),
  change_note: z.string().trim().min(1).max(4000),
  is_material: z.boolean(),
};
const params = z.object({ document_id: uuid });
const DAY_MS = 86_400_000;

export function adminRoutes(context: PortalContext): Route[] {
  return [
    ...[listAll(context), readAny(context), draft(context), editDraft(context)],
    ...[schedule(context), publish(context), reportAcceptances(context)],
  ];
}

function listAll({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/legal',
      operation_id: 'admin_list_legal_documents',
      summary: 'Every version in every language, drafts too.',
      tag: 'admin legal',
      policy: { admin: EVERY_ADMIN },
      query: pageQuery,
      answers: { 200: { description: 'The newest first.', json: pageOf(listedDocument) } },
    },
    async ({ query }) => {
      const after = decodeCursor(query.cursor, z.tuple([instant, uuid]));
      const rows = await allDocuments(pool, after && { created_at: after[0], id: after[1] }, query.limit + 1);
      const key = (row: DocumentRow) => [row.created_at.toISOString(), row.id];
      return { status: 200, body: page(rows, query.limit, { key, item: listedOf }) };
    },
  );
}

function readAny({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/legal/{document_id}',
      operation_id: 'admin_read_legal_document',
      summary: 'One version, a draft too.',
      tag: 'admin legal',
      policy: { admin: EVERY_ADMIN },
      params,
      answers: { 200: { description: 'The text, and its ETag.', json: wholeDocument } },
    },
    async ({ params: { document_id } }) => {
      const row = await readDocument(pool, document_id);
      if (row === null) throw new Problem('not_found');
      return { status: 200, body: await wholeOf(pool, row), version: row.edit };
    },
  );
}

function draft({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/legal',
      operation_id: 'admin_draft_legal_document',
      summary: 'Begin a new version, or put one into another language.',
      tag: 'admin legal',
      policy: WHO_WRITES,
      idempotent: true,
      body: z.object({
        kind: kindField,
        locale: localeField,
        translates_version: z.int().min(1).max(1_000_000).nullable().default(null),
        ...words,
      }),
      answers: { 201: { description: 'The draft, and its ETag.', json: wholeDocument } },
      problems: ['conflict'],
    },
    async ({ body, identity, operation_id, now }) => {
      const actor = adminActor(identity);
      const row = await inTransaction(pool, async (tx) => {
        const made = await insertDraft(tx, { id: operation_id, ...body, written_by: actor.id, now });
        if (made !== null) await audit(tx, actor, 'legal_document.draft', made, now);
        return made;
      });
      if (row === null) {
        throw new Problem('conflict', 'The version to translate is not there, or is there in this language already.');
      }
      return { status: 201, body: await wholeOf(pool, row), version: row.edit };
    },
  );
}

function editDraft({ pool }: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/legal/{document_id}',
      operation_id: 'admin_edit_legal_document',
      summary: 'Edit a draft.',
      tag: 'admin legal',
      policy: WHO_WRITES,
      params,
      versioned: true,
      body: z.object(words),
      answers: { 200: { description: 'As it is now, and its ETag.', json: wholeDocument } },
      problems: ['too_late'],
    },
    async ({ params: { document_id }, body, version, identity, now }) => {
      const row = await inTransaction(pool, async (tx) => {
        const locked = await lockedAt(tx, document_id, version);
        if (locked.state !== 'draft') throw new Problem('too_late', 'It is published. Begin a new version instead.');
        const edited = await updateDraft(tx, document_id, body);
        await audit(tx, adminActor(identity), 'legal_document.edit', edited, now);
        return edited;
      });
      return { status: 200, body: await wholeOf(pool, row), version: row.edit };
    },
  );
}

function schedule({ pool, settings }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/legal/{document_id}/schedule',
      operation_id: 'admin_schedule_legal_document',
      summary:
        'Publish it now, to be in force from a later moment on. Where it has to be agreed to, everybody is told at once.',
      tag: 'admin legal',
      policy: WHO_PUBLISHES,
      params,
      versioned: true,
      body: z.object({ in_force_from: instant }),
      answers: { 200: { description: 'Scheduled; whoever likes can read it.', json: wholeDocument } },
      problems: ['too_late'],
    },
    async ({ params: { document_id }, body, version, identity, now }) => {
      const in_force_from = new Date(body.in_force_from);
      if (in_force_from <= now)
        throw new Problem('invalid', 'in_force_from has to lie ahead. To begin now, publish it.');
      const actor = adminActor(identity);
      const row = await inTransaction(pool, async (tx) => {
        const locked = await lockedAt(tx, document_id, version);
        if (stepDocument(locked.state, 'schedule') === null) {
          throw new Problem('too_late', 'It is published already.');
        }
        const earliest = await earliestOf(tx, locked, settings.TERMS_NOTICE_DAYS_MIN, now);
        if (in_force_from < earliest) {
          throw new Problem(
            'invalid',
            `Whoever is here is told before: in_force_from is ${earliest.toISOString()} or later.`,
          );
        }
        const scheduled = await scheduleDocument(tx, document_id, { in_force_from, published_by: actor.id });
        await beginTelling(tx, scheduled, 'scheduled', now);
        await audit(tx, actor, 'legal_document.schedule', scheduled, now);
        return scheduled;
      });
      return { status: 200, body: await wholeOf(pool, row), version: row.edit };
    },
  );
}

function publish({ pool, settings }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/legal/{document_id}/publish',
      operation_id: 'admin_publish_legal_document',
      summary: 'Put it in force now.',
      tag: 'admin legal',
      policy: WHO_PUBLISHES,
      params,
      query: z.object({
        /** Why whoever is here is not told in time, as a court may order; asked for where they would have to be. */
        without_notice_because: line(500).optional(),
      }),
      versioned: true,
      answers: { 200: { description: 'In force; the version before it no longer is.', json: wholeDocument } },
      problems: ['too_late', 'conflict'],
    },
    async ({ params: { document_id }, query, version, identity, now }) => {
      const actor = adminActor(identity);
      const row = await inTransaction(pool, async (tx) => {
        const locked = await lockedAt(tx, document_id, version);
        if (stepDocument(locked.state, 'publish') === null) throw new Problem('too_late', 'It is in force, or was.');
        const { without_notice_because = null } = query;
        if (
          without_notice_because === null &&
          (await earliestOf(tx, locked, settings.TERMS_NOTICE_DAYS_MIN, now)) > now
        ) {
          const told = `Whoever is here is told of it ${settings.TERMS_NOTICE_DAYS_MIN} days before. Schedule it, or say why it cannot wait.`;
          throw new Problem('conflict', told);
        }
        await scheduleDocument(tx, document_id, { in_force_from: now, published_by: actor.id });
        await bringIntoForce(tx, now);
        const published = await readDocument(tx, document_id);
        if (published === null) throw new Error('A legal document that was published is gone.');
        await audit(tx, actor, 'legal_document.publish', published, now, { without_notice_because });
        return published;
      });
      return { status: 200, body: await wholeOf(pool, row), version: row.edit };
    },
  );
}

const reportShape = pageOf(z.object({ account_id: uuid, user_id: uuid, accepted_at: instantOut })).extend({
  accounts_accepted: z.int(),
  accounts_active: z.int(),
});

function reportAcceptances({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/legal/{document_id}/acceptances',
      operation_id: 'admin_list_acceptances',
      summary: 'Who agreed to a version.',
      tag: 'admin legal',
      policy: WHO_WRITES,
      params,
      query: pageQuery.extend({ purpose: line(500) }),
      answers: { 200: { description: 'The newest first, and how many of all.', json: reportShape } },
    },
    async ({ params: { document_id }, query, identity, now }) => {
      const after = decodeCursor(query.cursor, z.tuple([instant, uuid, uuid]));
      const { user_id } = adminOf(identity);
      const body = await inTransaction(pool, async (tx) => {
        const row = await readDocument(tx, document_id);
        if (row === null) throw new Problem('not_found');
        const counts = await countAcceptances(tx, document_id);
        const rows = await listAcceptances(tx, document_id, after, query.limit + 1);
        await appendAudit(tx, {
          ...{ at: now, actor: { kind: 'admin', id: user_id }, action: 'acceptance.list', account_id: null },
          ...{ subject: `legal_document:${document_id}`, purpose: query.purpose },
        });
        const key = (one: AcceptanceRow) => [one.accepted_at.toISOString(), one.account_id, one.user_id];
        return { ...page(rows, query.limit, { key, item: (one) => one }), ...counts };
      });
      return { status: 200, body };
    },
  );
}

interface AcceptanceRow {
  account_id: string;
  user_id: string;
  accepted_at: Date;
}

async function countAcceptances(
  tx: Transaction,
  document_id: string,
): Promise<{ accounts_accepted: number; accounts_active: number }> {
  const { rows } = await tx.query<{ accounts_accepted: number; accounts_active: number }>(
    `select (select count(distinct account_id)::integer from acceptance where document_id = $1) as accounts_accepted,
            (select count(*)::integer from account where state = 'active') as accounts_active`,
    [document_id],
  );
  return rows[0] ?? { accounts_accepted: 0, accounts_active: 0 };
}

async function listAcceptances(
  tx: Transaction,
  document_id: string,
  after: [string, string, string] | null,
  limit: number,
): Promise<AcceptanceRow[]> {
  const { rows } = await tx.query<AcceptanceRow>(
    `select account_id, user_id, date_trunc('milliseconds', at) as accepted_at from acceptance
      where document_id = $1 and ($2::timestamptz is null or (at, account_id, user_id) < ($2, $3::uuid, $4::uuid))
      order by at desc, account_id desc, user_id desc limit $5`,
    [document_id, ...(after ?? [null, null, null]), limit],
  );
  return rows;
}

async function lockedAt(tx: Transaction, document_id: string, version: number | null): Promise<DocumentRow> {
  const row = await lockDocument(tx, document_id);
  if (row === null) throw new Problem('not_found');
  if (row.edit !== version) throw new Problem('version_conflict', 'Somebody else has edited it. Read it again.');
  return row;
}

/**
 * From when a version may be in force: whoever agreed to the one before has some days, unless it asks nothing new of them, or was told of in
 * another language. Whoever is here before the first one is given as long: from then on nobody who has not agreed is served.
 */
async function earliestOf(tx: Transaction, row: DocumentRow, days: number, now: Date): Promise<Date> {
  if (!(await isNews(tx, row))) return now;
  const told = await versionInEachLanguage(tx, row.kind, row.version);
  const others = told.flatMap(({ id, in_force_from }) => (id === row.id ? [] : (in_force_from ?? [])));
  const [first] = others.sort((one, other) => one.getTime() - other.getTime());
  return first ?? new Date(now.getTime() + days * DAY_MS);
}

function audit(
  tx: Transaction,
  actor: AuditActor,
  action: string,
  row: DocumentRow,
  now: Date,
  more: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  const { id, kind, version, locale, sha256, state } = row;
  return appendAudit(tx, {
    ...{ at: now, actor, action, account_id: null, subject: `legal_document:${id}` },
    detail: { kind, version, locale, sha256, state, is_material: row.is_material, ...more },
  });
}
