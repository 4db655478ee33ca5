import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instant, prose, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER, OWNER } from '../identity/policy.ts';
import { customerOf } from '../identity/whose.ts';
import { insertAppeal, listAppeals } from './appeal_rows.ts';
import { listRestrictions, readRestriction } from './restriction_rows.ts';
import type { RestrictionRow } from './restriction_rows.ts';
import { ownAppeal, ownAppealOf, ownRestriction, ownRestrictionOf } from './shapes.ts';

export function customerRoutes(context: PortalContext): Route[] {
  return [listOwn(context), openAppeal(context), listOwnAppeals(context)];
}

function listOwn({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/restrictions',
      operation_id: 'list_restrictions',
      summary: 'What the account is or was kept from, why and until when.',
      tag: 'rights',
      policy: { customer: EVERY_CUSTOMER },
      query: pageQuery,
      answers: { 200: { description: 'The newest first.', json: pageOf(ownRestriction) } },
    },
    async ({ identity, query, now }) => {
      const { account_id } = customerOf(identity);
      const after = decodeCursor(query.cursor, z.tuple([instant, uuid]));
      const rows = await listRestrictions(pool, {
        ...{ account_id, in_force_at: null, limit: query.limit + 1 },
        after: after && { starts_at: after[0], id: after[1] },
      });
      const key = (row: RestrictionRow) => [row.starts_at.toISOString(), row.id];
      return { status: 200, body: page(rows, query.limit, { key, item: (row) => ownRestrictionOf(row, now) }) };
    },
  );
}

function openAppeal({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/restrictions/{restriction_id}/appeal',
      operation_id: 'appeal',
      summary: 'Ask somebody else of us to look at a restriction anew.',
      tag: 'rights',
      policy: { customer: OWNER },
      params: z.object({ restriction_id: uuid }),
      idempotent: true,
      body: z.object({ words: prose(4000) }),
      answers: { 201: { description: 'Who did not set the restriction decides.', json: ownAppeal } },
      problems: ['conflict', 'too_late'],
    },
    async ({ identity, params, body, operation_id, now }) => {
      const { user_id, account_id } = customerOf(identity);
      const made = await inTransaction(pool, async (tx) => {
        const row = await readRestriction(tx, params.restriction_id, true);
        if (row?.account_id !== account_id) throw new Problem('not_found');
        if (row.ends_at !== null && row.ends_at <= now) throw new Problem('too_late', 'The restriction is over.');
        const { id: restriction_id, set_by: restriction_set_by } = row;
        return insertAppeal(tx, {
          ...{ id: operation_id, restriction_id, restriction_set_by, account_id },
          ...{ opened_by: user_id, words: body.words, opened_at: now },
        });
      });
      if (made === null) throw new Problem('conflict', 'There is an appeal against this restriction already.');
      return { status: 201, body: ownAppealOf(made) };
    },
  );
}

function listOwnAppeals({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/appeals',
      operation_id: 'list_appeals',
      summary: 'Appeals of the account, and what was decided.',
      tag: 'rights',
      policy: { customer: EVERY_CUSTOMER },
      query: pageQuery,
      answers: { 200: { description: 'The oldest first.', json: pageOf(ownAppeal) } },
    },
    async ({ identity, query }) => {
      const { account_id } = customerOf(identity);
      const after = decodeCursor(query.cursor, z.tuple([instant, uuid]));
      const rows = await listAppeals(pool, {
        ...{ account_id, state: null, limit: query.limit + 1 },
        after: after && { opened_at: after[0], id: after[1] },
      });
      const key = (row: (typeof rows)[number]) => [row.opened_at.toISOString(), row.id];
      return { status: 200, body: page(rows, query.limit, { key, item: ownAppealOf }) };
    },
  );
}
