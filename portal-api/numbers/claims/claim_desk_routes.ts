import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { moneyWords } from '../../../domain/money/money_words.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { currency, instant, instantOut, line, microsOut, prose, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import type { Admin, AdminRole } from '../../identity/identity.ts';
import { adminActor, adminOf } from '../../identity/whose.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { secondApprovalAbove } from '../../payments/approvals.ts';
import { lockWallet } from '../../payments/refunds.ts';
import { holdersOf } from '../holdings/holding_rows.ts';
import type { Holding } from '../holdings/holding_rows.ts';
import { lockNumber } from '../lock_number.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { daysIn, faultyPeriods, grant, payCredit, sumOf } from './claim_credit.ts';
import type { Granted } from './claim_credit.ts';
import { claimEvidence } from './claim_evidence.ts';
import { claimParams, keyOf } from './claim_routes.ts';
import { closeClaim, creditedBefore, listClaims, lockClaim, selectClaim } from './claim_rows.ts';
import type { Claim } from './claim_rows.ts';
import { claimAnswer, claimShape, claimState } from './claim_shapes.ts';
import { nextClaimState } from './claim_state.ts';

const WHO_DECIDES = { admin: ['support', 'finance', 'operations', 'owner'] } as const;
const WHO_PAYS: readonly AdminRole[] = ['finance', 'operations', 'owner'];
/** A fault may have begun 90 days ago, and waits for us some more. */
const DAYS_MAX = 366;

/** What customers say of numbers that do not work, as it waits for one of us. */
export function claimDeskRoutes(desk: NumbersDesk): Route[] {
  return [listRoute(desk), readRoute(desk), previewRoute(desk), decideRoute(desk)];
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
  const holding = await knownHolding(db, claim);
  const { state, held_from, held_to, paid_until } = holding;
  const most = claim.state === 'open' ? await grantable(db, claim, DAYS_MAX, now) : [];
  return {
    ...{ ...claimAnswer(claim), holding: { state, held_from, held_to, paid_until } },
    seen: await claimEvidence(db, claim, claim.closed_at ?? now),
    ...{ credit_days_max: daysIn(most), credit_micros_max: microsOf(most) },
  };
}

async function knownHolding(db: Queryable, { holding_id, number }: Claim): Promise<Holding> {
  const holding = (await holdersOf(db, number)).find(({ id }) => id === holding_id);
  if (holding === undefined) throw new Error(`The holding ${holding_id} of a claim is gone.`);
  return holding;
}

const grantable = async (db: Queryable, claim: Claim, days: number, now: Date): Promise<readonly Granted[]> =>
  grant(await faultyPeriods(db, claim, now), days);

function microsOf(granted: readonly Granted[]): bigint {
  const { net_micros, tax_micros } = sumOf(granted);
  return net_micros + tax_micros;
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
      query: z.object({ days: z.coerce.number().int().min(0).max(DAYS_MAX) }),
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

const decision = z.discriminatedUnion('decision', [
  z.object({
    decision: z.literal('accept'),
    answer: prose(4000),
    /** 0 where nothing is given back; more by finance, operations or an owner. */
    credit_days: z.int().min(0).max(DAYS_MAX).default(0),
    /** What the preview said that they come to; if it is another amount by now, nothing is decided. */
    credit_micros: z
      .string()
      .regex(/^(?:0|[1-9][0-9]{0,14})$/u)
      .transform(BigInt)
      .default(0n),
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
      summary: 'Answer a claim, and give back days on which the number did not work.',
      tag: 'admin: numbers',
      policy: { ...WHO_DECIDES, step_up: true },
      params: claimParams,
      idempotent: true,
      versioned: true,
      body: decision,
      answers: { 200: { description: 'Closed, given back, and told.', json: claimShape } },
      problems: ['too_late', 'conflict', 'not_permitted', 'second_approval_required'],
    },
    async ({ identity, params: { claim_id }, body, version, now }) => {
      const wish = body.decision === 'accept' ? body : { credit_days: 0, credit_micros: 0n };
      refuseToPay(adminOf(identity), wish.credit_days);
      const claim = await inTransaction(desk.pool, async (tx) => {
        const locked = await lockedAt(tx, claim_id, version);
        const state = nextClaimState(locked.state, body.decision);
        if (state === null) throw new Problem('too_late', 'It is closed.');
        const granted = await grantedOrRefuse(desk, tx, locked, wish, now);
        await payCredit(tx, locked, granted, now);
        const closed = await closeClaim(tx, claim_id, {
          ...{ state, closed_by: adminOf(identity).user_id, closed_at: now, answer: body.answer },
          ...{ credit_days: daysIn(granted), ...sumOf(granted) },
        });
        await tell(tx, closed, body);
        const { credit_days, account_id } = closed;
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'claim.decide', account_id },
          ...{
            subject: `claim:${claim_id}`,
            detail: { state, credit_days, credit_micros: microsOf(granted).toString() },
          },
        });
        return closed;
      });
      return { status: 200, body: claimAnswer(claim), version: claim.version };
    },
  );
}

function refuseToPay({ roles }: Admin, days: number): void {
  if (days === 0 || roles.some((role) => WHO_PAYS.includes(role))) return;
  throw new Problem('not_permitted', 'Days are given back by finance or operations. Leave the claim to them.');
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

async function grantedOrRefuse(
  desk: NumbersDesk,
  tx: Transaction,
  claim: Claim,
  { credit_days, credit_micros: seen_micros }: { credit_days: number; credit_micros: bigint },
  now: Date,
): Promise<readonly Granted[]> {
  const granted = await grantable(tx, claim, credit_days, now);
  const [days, micros] = [daysIn(granted), microsOf(granted)];
  if (days < credit_days) {
    throw new Problem(
      'invalid',
      `No more than ${days} days can be given back: the others were not paid for, or are given back.`,
    );
  }
  if (micros !== seen_micros) {
    throw new Problem('conflict', `${micros} micros are given back by now. Look at the preview again.`);
  }
  // Several claims are not several limits.
  if (micros > 0n && micros + (await creditedBefore(tx, claim)) > secondApprovalAbove(desk)) {
    throw new Problem(
      'second_approval_required',
      'Two of us have to agree to as much. Accept the claim with 0 days, and ask for a correction of the wallet.',
    );
  }
  return granted;
}

async function tell(tx: Transaction, claim: Claim, { answer }: Decision): Promise<void> {
  const { id, account_id, number, state, currency: paid_in } = claim;
  const credit_micros = claim.credit_net_micros + claim.credit_tax_micros;
  await queueNotice(tx, {
    to: { account_id },
    template: 'claim_answered',
    facts: {
      ...{ number, outcome: state === 'accepted' ? 'accepted' : 'refused', why: answer },
      ...(credit_micros > 0n ? { amount: moneyWords(credit_micros, paid_in) } : {}),
    },
  });
  await tellCustomer(tx, account_id, { type: 'claim', id, state });
}
