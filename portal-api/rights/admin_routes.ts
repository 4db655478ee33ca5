import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { recordShown } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instant, line, prose, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor } from '../identity/whose.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { decideAppeal, listAppeals, readAppeal } from './appeal_rows.ts';
import type { AppealRow } from './appeal_rows.ts';
import { stepAppeal } from './appeal_state.ts';
import { endRestriction, insertRestriction, listRestrictions, readRestriction } from './restriction_rows.ts';
import type { RestrictionRow } from './restriction_rows.ts';
import { appeal, appealOf, appealState, restriction, restrictionOf, scopeField } from './shapes.ts';

const WHO_RESTRICTS = { admin: ['support', 'finance', 'operations', 'owner'] } as const;
const restrictionParams = z.object({ restriction_id: uuid });

export function adminRoutes(context: PortalContext): Route[] {
  return [...[listAll(context), restrict(context), end(context)], ...[listAllAppeals(context), decide(context)]];
}

function listAll({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/restrictions',
      operation_id: 'admin_list_restrictions',
      summary: 'Restrictions of everybody, or of one account.',
      tag: 'admin rights',
      policy: WHO_RESTRICTS,
      query: pageQuery.extend({
        account_id: uuid.optional(),
        in_force: z.enum(['true', 'false']).default('false'),
        purpose: line(500),
      }),
      answers: { 200: { description: 'The newest first.', json: pageOf(restriction) } },
    },
    async ({ identity, query, now }) => {
      const after = decodeCursor(query.cursor, z.tuple([instant, uuid]));
      const account_id = query.account_id ?? null;
      const rows = await inTransaction(pool, async (tx) => {
        const found = await listRestrictions(tx, {
          ...{ account_id, in_force_at: query.in_force === 'true' ? now : null, limit: query.limit + 1 },
          after: after && { starts_at: after[0], id: after[1] },
        });
        const subject = account_id === null ? 'restrictions' : `account:${account_id}`;
        const view = { action: 'restriction.list', account_id, subject, purpose: query.purpose };
        await recordShown(tx, { identity, now }, view, found.slice(0, query.limit));
        return found;
      });
      const key = (row: RestrictionRow) => [row.starts_at.toISOString(), row.id];
      return { status: 200, body: page(rows, query.limit, { key, item: (row) => restrictionOf(row, now) }) };
    },
  );
}

function restrict({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/restrictions',
      operation_id: 'admin_restrict',
      summary: 'Keep an account from something, from now on.',
      tag: 'admin rights',
      policy: WHO_RESTRICTS,
      idempotent: true,
      body: z.object({
        account_id: uuid,
        scope: scopeField,
        /** The customer is told. */
        reason: line(1000),
        /** Only for us. */
        evidence: prose(4000).nullable().default(null),
        /** Null: until somebody ends it. */
        ends_at: instant.nullable().default(null),
      }),
      answers: { 201: { description: 'In force for calls and texts at once, and told.', json: restriction } },
    },
    async ({ identity, body, operation_id: id, now }) => {
      const ends_at = body.ends_at === null ? null : new Date(body.ends_at);
      if (ends_at !== null && ends_at <= now) throw new Problem('invalid', 'ends_at has to lie ahead.');
      const row = await inTransaction(pool, async (tx) => {
        await requireAccount(tx, body.account_id);
        const { account_id, scope, reason, evidence } = body;
        const actor = adminActor(identity);
        const set = { id, account_id, scope, reason, evidence, set_by: actor.id, starts_at: now, ends_at };
        if (await insertRestriction(tx, set)) {
          const facts = {
            'what it keeps you from': scopeWords[scope],
            why: reason,
            until: ends_at?.toISOString() ?? 'we end it',
          };
          await queueNotice(tx, { to: { account_id }, template: 'restriction_set', facts });
          await tellCustomer(tx, account_id, { type: 'restriction', id, state: 'in_force' });
          await appendAudit(tx, {
            ...{ at: now, actor, action: 'restriction.set', account_id, subject: `restriction:${id}` },
            detail: { scope, ends_at: ends_at?.toISOString() ?? null },
          });
        }
        return knownRestriction(tx, id);
      });
      return { status: 201, body: restrictionOf(row, now), version: row.version };
    },
  );
}

function end({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/restrictions/{restriction_id}/end',
      operation_id: 'admin_end_restriction',
      summary: 'End a restriction now.',
      tag: 'admin rights',
      policy: WHO_RESTRICTS,
      params: restrictionParams,
      versioned: true,
      body: z.object({ reason: line(1000) }),
      answers: { 200: { description: 'Over, and told.', json: restriction } },
      problems: ['too_late'],
    },
    async ({ identity, params: { restriction_id }, body, version, now }) => {
      const row = await inTransaction(pool, async (tx) => {
        const locked = await readRestriction(tx, restriction_id, true);
        if (locked === null) throw new Problem('not_found');
        if (locked.version !== version) throw new Problem('version_conflict', 'Somebody else has changed it.');
        if (locked.ends_at !== null && locked.ends_at <= now) throw new Problem('too_late', 'It is over.');
        const actor = adminActor(identity);
        await endNow(tx, locked, { ended_by: actor.id, end_reason: body.reason, now });
        await appendAudit(tx, {
          ...{ at: now, actor, action: 'restriction.end', account_id: locked.account_id },
          subject: `restriction:${restriction_id}`,
        });
        return knownRestriction(tx, restriction_id);
      });
      return { status: 200, body: restrictionOf(row, now), version: row.version };
    },
  );
}

function listAllAppeals({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/appeals',
      operation_id: 'admin_list_appeals',
      summary: 'Appeals as they wait.',
      tag: 'admin rights',
      policy: WHO_RESTRICTS,
      query: pageQuery.extend({ state: appealState.optional(), purpose: line(500) }),
      answers: { 200: { description: 'The oldest first.', json: pageOf(appeal) } },
    },
    async ({ identity, query, now }) => {
      const after = decodeCursor(query.cursor, z.tuple([instant, uuid]));
      const rows = await inTransaction(pool, async (tx) => {
        const found = await listAppeals(tx, {
          ...{ account_id: null, state: query.state ?? null, limit: query.limit + 1 },
          after: after && { opened_at: after[0], id: after[1] },
        });
        const view = { action: 'appeal.list', account_id: null, subject: 'appeals', purpose: query.purpose };
        await recordShown(tx, { identity, now }, view, found.slice(0, query.limit));
        return found;
      });
      const key = (row: AppealRow) => [row.opened_at.toISOString(), row.id];
      return { status: 200, body: page(rows, query.limit, { key, item: appealOf }) };
    },
  );
}

function decide({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/appeals/{appeal_id}/decision',
      operation_id: 'admin_decide_appeal',
      summary: 'Decide an appeal against a restriction that another admin set.',
      tag: 'admin rights',
      policy: WHO_RESTRICTS,
      params: z.object({ appeal_id: uuid }),
      versioned: true,
      body: z.object({ decision: z.enum(['uphold', 'lift']), words: prose(4000) }),
      answers: { 200: { description: 'Decided, and told.', json: appeal } },
      problems: ['too_late', 'second_approval_required'],
    },
    async ({ identity, params: { appeal_id }, body, version, now }) => {
      const row = await inTransaction(pool, async (tx) => {
        const locked = await readAppeal(tx, appeal_id, true);
        if (locked === null) throw new Problem('not_found');
        if (locked.version !== version) throw new Problem('version_conflict', 'Somebody else has decided it.');
        const state = stepAppeal(locked.state, body.decision);
        if (state === null) throw new Problem('too_late', 'It is decided.');
        const actor = adminActor(identity);
        if (locked.restriction_set_by === actor.id) {
          throw new Problem('second_approval_required', 'You set this restriction, so another admin decides.');
        }
        const decided = await decideAppeal(tx, appeal_id, {
          state,
          decided_by: actor.id,
          decision_words: body.words,
          now,
        });
        if (state === 'lifted') await lift(tx, locked.restriction_id, actor.id, now);
        const facts = {
          decision: state === 'lifted' ? 'the restriction is lifted' : 'the restriction stays',
          why: body.words,
        };
        const { account_id } = locked;
        await queueNotice(tx, { to: { account_id }, template: 'appeal_decided', facts });
        await tellCustomer(tx, account_id, { type: 'restriction', id: locked.restriction_id, state });
        await appendAudit(tx, {
          ...{ at: now, actor, action: 'appeal.decide', account_id, subject: `appeal:${appeal_id}` },
          detail: { state, restriction_id: locked.restriction_id },
        });
        return decided;
      });
      return { status: 200, body: appealOf(row), version: row.version };
    },
  );
}

const scopeWords = {
  calls_out: 'making calls',
  calls_in: 'receiving calls',
  sms: 'sending texts',
  purchases: 'buying anything',
  all: 'calls, texts and purchases',
} as const;

/** One that has run out meanwhile stays as it was. */
async function lift(tx: Transaction, restriction_id: string, ended_by: string, now: Date): Promise<void> {
  const row = await readRestriction(tx, restriction_id, true);
  if (row === null || (row.ends_at !== null && row.ends_at <= now)) return;
  await endNow(tx, row, { ended_by, end_reason: 'The appeal against it was allowed.', now });
}

async function endNow(
  tx: Transaction,
  row: RestrictionRow,
  ending: { ended_by: string; end_reason: string; now: Date },
): Promise<void> {
  await endRestriction(tx, row.id, ending);
  const facts = { 'what it kept you from': scopeWords[row.scope], why: ending.end_reason };
  await queueNotice(tx, { to: { account_id: row.account_id }, template: 'restriction_ended', facts });
  await tellCustomer(tx, row.account_id, { type: 'restriction', id: row.id, state: 'ended' });
}

async function knownRestriction(tx: Transaction, id: string): Promise<RestrictionRow> {
  const row = await readRestriction(tx, id);
  if (row === null) throw new Error('A restriction that was written is gone.');
  return row;
}

async function requireAccount(tx: Transaction, account_id: string): Promise<void> {
  const { rows } = await tx.query('select 1 from account where id = $1', [account_id]);
  if (rows.length === 0) throw new Problem('not_found', 'There is no such account.');
}
