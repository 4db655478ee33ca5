import { z } from 'zod';
import { timeQuery } from '../audit/view_on_record.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { country, instantOut, uuid } from '../http/fields.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminOf } from '../identity/whose.ts';
import { CASE_STATES } from './answers.ts';
import { CASE_LISTS, queueOfCases, searchCases, sortedBy } from './case_queue.ts';
import type { QueuedCase } from './case_queue.ts';
import { DOCUMENT_TYPES, NUMBER_TYPES, PARTIES } from './document_types.ts';
import type { KycParts } from './kyc_parts.ts';
import { KYC_ADMINS } from './requirement_routes.ts';

const queuedShape = z
  .object({
    case_id: uuid,
    account_id: uuid,
    party: z.enum(PARTIES),
    state: z.enum(CASE_STATES),
    country,
    number_type: z.enum(NUMBER_TYPES),
    submitted_at: instantOut,
    document_types: z.array(z.enum(DOCUMENT_TYPES)),
    reviewer_id: uuid.nullable(),
    locked_until: instantOut.nullable(),
    /** The last decision; what was handed in anew since then has it still. */
    decided_at: instantOut.nullable(),
    /** Null where a rule passed it without a reviewer, or nothing was decided yet. */
    decided_by: uuid.nullable(),
  })
  .meta({ id: 'QueuedKycCase' });

const caseQuery = pageQuery.extend({
  whose: z.enum(['waiting', 'mine']).default('waiting'),
  /**
   * all: whatever was handed in, the latest first; open: what is not decided, whoever has it, the oldest first; decided: the latest
   * decision first. Left out: what waits for a reviewer, or is your own. With `mine`: of which you are the reviewer, or were.
   */
  state: z.enum(CASE_LISTS).optional(),
  account_id: uuid.optional(),
  /** With `state` alone: when it was handed in, or of `decided`, when that was. */
  ...timeQuery,
});

export function caseQueueRoute(parts: KycParts): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/kyc/cases',
      operation_id: 'list_kyc_cases',
      summary: 'Cases that wait for a reviewer, or your own; or all of a state, with who decided them and when.',
      tag: 'kyc admin',
      policy: { admin: KYC_ADMINS },
      query: caseQuery,
      answers: { 200: { description: 'Nothing in it says who somebody is.', json: pageOf(queuedShape) } },
    },
    async ({ identity, query, now }) => {
      const rows = await casesOf(parts, query, { admin_id: adminOf(identity).user_id, now });
      const key = (row: QueuedCase) => [
        (query.state === undefined ? row.submitted_at : sortedBy(query.state, row)).toISOString(),
        row.case_id,
      ];
      type Item = z.input<typeof queuedShape>;
      return { status: 200, body: page(rows, query.limit, { key, item: (row) => row as Item }) };
    },
  );
}

function casesOf(
  { pool }: KycParts,
  query: z.output<typeof caseQuery>,
  { admin_id, now }: { admin_id: string; now: Date },
): Promise<QueuedCase[]> {
  const { whose, state, account_id = null, from = null, to = null } = query;
  const cursor = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), uuid]));
  const after = cursor === null ? null : ([new Date(cursor[0]), cursor[1]] as const);
  const mine_of = whose === 'mine' ? admin_id : null;
  const limit = query.limit + 1;
  if (state === undefined) return queueOfCases(pool, { mine_of, account_id, after, limit, now });
  return searchCases(pool, { list: state, account_id, mine_of, from, to, after, limit });
}
