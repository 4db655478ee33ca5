import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { moneyWords } from '../../../domain/money/money_words.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { instant, line, microsOut, prose, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor, adminOf } from '../../identity/whose.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { secondApprovalAbove } from '../../payments/approvals.ts';
import { lockWallet } from '../../payments/refunds.ts';
import type { RefundDue } from '../holdings/left_of_charge.ts';
import { lockNumber } from '../lock_number.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { CREDIT_DAYS_MAX, creditDue, faultDays, payCredit } from './claim_credit.ts';
import { claimEvidence } from './claim_evidence.ts';
import { claimParams, keyOf } from './claim_routes.ts';
import { closeClaim, listClaims, lockClaim, selectClaim } from './claim_rows.ts';
import type { Claim } from './claim_rows.ts';
import { claimAnswer, claimShape, claimState } from './claim_shapes.ts';
import { nextClaimState } from './claim_state.ts';

const WHO_DECIDES = { admin: ['support', 'finance', 'operations', 'owner'] } as const;

/** What customers say of numbers that do not work, as it waits for one of us. */
export function claimDeskRoutes(desk: NumbersDesk): Route[] {
  return [listRoute(desk), readRoute(desk), decideRoute(desk)];
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
    /** What went over the number since it is said not to work. */
    seen: z.object({
      calls_out: z.int(),
      calls_out_answered: z.int(),
      calls_in: z.int(),
      calls_in_answered: z.int(),
      texts_out: z.int(),
      texts_out_delivered: z.int(),
      texts_in: z.int(),
      /** There was more than is looked at; these are of the latest. */
      is_cut_short: z.boolean(),
    }),
    /** So many days may be given back by now, and what they come to. */
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
  const credit_days_max = claim.state === 'open' ? faultDays(claim, now) : 0;
  const { net_micros, tax_micros } = await creditDue(db, claim, credit_days_max);
  const seen = await claimEvidence(db, claim, claim.closed_at ?? now);
  return { ...claimAnswer(claim), seen, credit_days_max, credit_micros_max: net_micros + tax_micros };
}

const decision = z.discriminatedUnion('decision', [
  z.object({
    decision: z.literal('accept'),
    answer: prose(4000),
    /** Of the month that was paid last; 0 where nothing is given back. */
    credit_days: z.int().min(0).max(CREDIT_DAYS_MAX),
  }),
  z.object({ decision: z.literal('decline'), answer: prose(4000) }),
]);
type Decision = z.output<typeof decision>;

function decideRoute(desk: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/claims/{claim_id}/decision',
      operation_id: 'admin_decide_claim',
      summary: 'Answer a claim, and give back the days on which the number did not work.',
      tag: 'admin: numbers',
      policy: WHO_DECIDES,
      params: claimParams,
      versioned: true,
      body: decision,
      answers: { 200: { description: 'Closed, given back, and told.', json: claimShape } },
      problems: ['too_late', 'second_approval_required'],
    },
    async ({ identity, params: { claim_id }, body, version, now }) => {
      const claim = await inTransaction(desk.pool, async (tx) => {
        const locked = await lockedAt(tx, claim_id, version);
        const state = nextClaimState(locked.state, body.decision);
        if (state === null) throw new Problem('too_late', 'It is closed.');
        const days = body.decision === 'accept' ? body.credit_days : 0;
        const due = await dueOrRefuse(desk, tx, locked, days, now);
        await payCredit(tx, locked, { days, due });
        const closed = await closeClaim(tx, claim_id, {
          ...{ state, closed_by: adminOf(identity).user_id, closed_at: now, answer: body.answer },
          ...{ credit_days: due.net_micros + due.tax_micros > 0n ? days : 0, ...due },
        });
        await tell(tx, closed, body);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'claim.decide', account_id: closed.account_id },
          ...{ subject: `claim:${claim_id}`, detail: { state, credit_days: days } },
        });
        return closed;
      });
      return { status: 200, body: claimAnswer(claim), version: claim.version };
    },
  );
}

/** The number first, then what is about it, then its wallet: as everywhere. */
async function lockedAt(tx: Transaction, claim_id: string, version: number | null): Promise<Claim> {
  const known = await selectClaim(tx, claim_id);
  if (known === null) throw new Problem('not_found');
  await lockNumber(tx, known.number);
  const locked = await lockClaim(tx, claim_id);
  if (locked === null) throw new Problem('not_found');
  if (locked.version !== version) throw new Problem('version_conflict', 'Somebody else has changed it. Read it again.');
  await lockWallet(tx, locked.wallet_id);
  return locked;
}

async function dueOrRefuse(
  desk: NumbersDesk,
  tx: Transaction,
  claim: Claim,
  days: number,
  now: Date,
): Promise<RefundDue> {
  const days_max = faultDays(claim, now);
  if (days > days_max)
    throw new Problem('invalid', `It began ${days_max} days ago: credit_days is ${days_max} at most.`);
  const due = await creditDue(tx, claim, days);
  if (due.net_micros + due.tax_micros > secondApprovalAbove(desk)) {
    throw new Problem(
      'second_approval_required',
      'Two of us have to agree to as much. Accept the claim with 0 days, and ask for a correction of the wallet.',
    );
  }
  return due;
}

async function tell(tx: Transaction, claim: Claim, { answer }: Decision): Promise<void> {
  const { id, account_id, number, state, currency } = claim;
  const credit_micros = claim.credit_net_micros + claim.credit_tax_micros;
  await queueNotice(tx, {
    to: { account_id },
    template: 'claim_answered',
    facts: {
      ...{ number, outcome: state === 'accepted' ? 'accepted' : 'refused', why: answer },
      ...(credit_micros > 0n ? { amount: moneyWords(credit_micros, currency) } : {}),
    },
  });
  await tellCustomer(tx, account_id, { type: 'claim', id, state });
}
