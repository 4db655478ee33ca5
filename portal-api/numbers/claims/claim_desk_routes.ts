import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable } from '../../../domain/db/transaction.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { currency, instant, instantOut, line, microsOut, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { selectHolding } from '../holdings/holding_rows.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { CREDIT_DAYS_MAX, daysIn, grantable, microsOf } from './claim_credit.ts';
import { claimEvidence } from './claim_evidence.ts';
import { claimParams, keyOf } from './claim_routes.ts';
import { listClaims, selectClaim } from './claim_rows.ts';
import type { Claim } from './claim_rows.ts';
import { claimAnswer, claimShape, claimState } from './claim_shapes.ts';

export const WHO_DECIDES = { admin: ['support', 'finance', 'operations', 'owner'] } as const;

/** What customers say of numbers that do not work, as it waits for one of us. */
export function claimDeskRoutes(desk: NumbersDesk): Route[] {
  return [listRoute(desk), readRoute(desk), previewRoute(desk)];
}

function listRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/claims',
      operation_id: 'admin_list_claims',
      summary: 'Numbers that are said not to work, as they wait; of one account or of all.',
      tag: 'admin: numbers',
      policy: WHO_DECIDES,
      query: pageQuery.extend({ state: claimState.optional(), account_id: uuid.optional(), purpose: line(500) }),
      answers: { 200: { description: 'The oldest first.', json: pageOf(claimShape) } },
    },
    async ({ identity, query: { state, account_id = null, purpose, cursor, limit }, now }) => {
      const after = decodeCursor(cursor, z.tuple([instant, uuid]));
      const rows = await inTransaction(pool, async (tx) => {
        const found = await listClaims(tx, { account_id, state: state ?? null, after, rows_max: limit + 1 });
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'claim.list', account_id },
          ...{ subject: account_id === null ? 'claims' : `account:${account_id}`, purpose },
        });
        return found;
      });
      return { status: 200, body: page(rows, limit, { key: keyOf, item: claimAnswer }) };
    },
  );
}

/** What whoever decides has before them. */
const claimSeen = claimShape
  .extend({
    /** Of the number with its claimant: what is not paid for, or over, cannot be given back. */
    holding: z.object({
      state: z.enum(['active', 'grace', 'suspended', 'ended']),
      held_from: instantOut,
      held_to: instantOut.nullable(),
      paid_until: instantOut,
    }),
    /** What went over the number while it is said not to work. */
    seen: z.object({
      calls_out: z.int(),
      calls_out_answered: z.int(),
      /** Of the account: a call that we refuse is not known to be one from this number. */
      calls_out_refused: z.int(),
      calls_in: z.int(),
      calls_in_answered: z.int(),
      calls_in_refused: z.int(),
      texts_out: z.int(),
      texts_out_delivered: z.int(),
      texts_in: z.int(),
      /** There was more than is looked at; these are of the latest. */
      is_cut_short: z.boolean(),
    }),
    /** So many days may be given back by now, and what they come to with tax. */
    credit_days_max: z.int(),
    credit_micros_max: microsOut,
  })
  .meta({ id: 'ClaimSeen' });

function readRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/claims/{claim_id}',
      operation_id: 'admin_read_claim',
      summary: 'One claim, what went over its number meanwhile, and what may be given back.',
      tag: 'admin: numbers',
      policy: WHO_DECIDES,
      params: claimParams,
      query: z.object({ purpose: line(500) }),
      answers: { 200: { description: 'As it is now, and its ETag.', json: claimSeen } },
    },
    async ({ identity, params: { claim_id }, query: { purpose }, now }) => {
      const body = await inTransaction(pool, async (tx) => {
        const claim = await selectClaim(tx, claim_id);
        if (claim === null) throw new Problem('not_found');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'claim.view', account_id: claim.account_id },
          ...{ subject: `claim:${claim_id}`, purpose },
        });
        return seenAnswer(tx, claim, now);
      });
      return { status: 200, body, version: body.version };
    },
  );
}

async function seenAnswer(db: Queryable, claim: Claim, now: Date): Promise<z.input<typeof claimSeen>> {
  const { state, held_from, held_to, paid_until } = await selectHolding(db, claim.holding_id);
  const most = claim.state === 'open' ? await grantable(db, claim, CREDIT_DAYS_MAX, now) : [];
  return {
    ...{ ...claimAnswer(claim), holding: { state, held_from, held_to, paid_until } },
    seen: await claimEvidence(db, claim, claim.closed_at ?? now),
    ...{ credit_days_max: daysIn(most), credit_micros_max: microsOf(most) },
  };
}

const creditShape = z
  .object({ credit_days: z.int(), credit_micros: microsOut, currency })
  .meta({ id: 'ClaimCreditPreview' });

function previewRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/claims/{claim_id}/credit-preview',
      operation_id: 'preview_claim_credit',
      summary: 'What so many days come to, which the decision names.',
      tag: 'admin: numbers',
      policy: WHO_DECIDES,
      params: claimParams,
      query: z.object({ days: z.coerce.number().int().min(0).max(CREDIT_DAYS_MAX) }),
      answers: { 200: { description: 'Fewer days where no more were paid for.', json: creditShape } },
    },
    async ({ params: { claim_id }, query: { days }, now }) => {
      const claim = await selectClaim(pool, claim_id);
      if (claim === null) throw new Problem('not_found');
      const granted = claim.state === 'open' ? await grantable(pool, claim, days, now) : [];
      const body = { credit_days: daysIn(granted), credit_micros: microsOf(granted), currency: claim.currency };
      return { status: 200, body };
    },
  );
}
