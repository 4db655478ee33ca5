import { z } from 'zod';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Transaction } from '../../../domain/db/transaction.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { instant, prose, uuid } from '../../http/fields.ts';
import { mustBeOfAccount } from '../../http/idempotency.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { EVERY_CUSTOMER } from '../../identity/policy.ts';
import { customerOf } from '../../identity/whose.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { lastHolding } from '../holdings/holding_rows.ts';
import type { Holding } from '../holdings/holding_rows.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { numberParams } from '../offers/offer_routes.ts';
import { CLAIM_AGE_MAX_MS } from '../terms.ts';
import { closeClaim, insertClaim, listClaims, lockClaim, selectClaim } from './claim_rows.ts';
import type { Claim, NewClaim } from './claim_rows.ts';
import { claimKind, claimState, ownClaimAnswer, ownClaimShape } from './claim_shapes.ts';
import { nextClaimState } from './claim_state.ts';

/** What a customer says of a number that does not work, and what became of it. */
export function claimRoutes(desk: NumbersDesk): Route[] {
  return [openRoute(desk), listRoute(desk), readRoute(desk), withdrawRoute(desk)];
}

function openRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/numbers/{number}/claims',
      operation_id: 'claim_fault',
      summary: 'Say that a number does not work as it should. One of us looks into it, and gives back what is due.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER },
      idempotent: true,
      params: numberParams,
      body: z.object({
        kind: claimKind,
        began_at: instant,
        /** Left out or null: it still does not work. */
        ended_at: instant.nullable().default(null),
        words: prose(4000),
      }),
      answers: { 201: { description: 'You are told by mail what we found.', json: ownClaimShape } },
      problems: ['conflict'],
    },
    async ({ params, body, identity, operation_id, now }) => {
      const { user_id, account_id } = customerOf(identity);
      const began_at = new Date(body.began_at);
      const ended_at = body.ended_at === null ? null : new Date(body.ended_at);
      refuseOddTimes(began_at, ended_at, now);
      const claim = await inTransaction(pool, async (tx) => {
        const holding = await lastHolding(tx, params.number, account_id);
        if (holding === null || isLongOver(holding, now)) throw new Problem('not_found');
        if (ended_at !== null && ended_at < holding.held_from) {
          throw new Problem('invalid', 'ended_at lies before the number was yours.');
        }
        const { kind, words } = body;
        const made = { id: operation_id, account_id, holding_id: holding.id, kind, began_at, ended_at, words };
        return open(tx, { ...made, opened_by: user_id, opened_at: now });
      });
      return { status: 201, body: ownClaimAnswer(claim) };
    },
  );
}

function refuseOddTimes(began_at: Date, ended_at: Date | null, now: Date): void {
  if (began_at > now) throw new Problem('invalid', 'began_at lies ahead. Say since when it does not work.');
  if (began_at.getTime() < now.getTime() - CLAIM_AGE_MAX_MS) {
    throw new Problem('invalid', 'began_at is more than 90 days ago. Say since when it was so of late.');
  }
  if (ended_at !== null && (ended_at < began_at || ended_at > now)) {
    throw new Problem('invalid', 'ended_at lies between began_at and now, or is left out while it does not work.');
  }
}

/** Whoever left because a number did not work may still say so. */
const isLongOver = ({ held_to }: Holding, now: Date): boolean =>
  held_to !== null && held_to.getTime() < now.getTime() - CLAIM_AGE_MAX_MS;

async function open(tx: Transaction, claim: NewClaim): Promise<Claim> {
  await insertClaim(tx, claim);
  const made = await selectClaim(tx, claim.id);
  if (made === null) throw new Problem('conflict', 'We are looking into this number already. See /v1/claims.');
  mustBeOfAccount(made.account_id, claim.account_id);
  await tellCustomer(tx, made.account_id, { type: 'claim', id: made.id, state: made.state });
  return made;
}

const cursorKey = z.tuple([instant, uuid]);
export const keyOf = ({ opened_at, id }: Claim): string[] => [opened_at.toISOString(), id];

function listRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/claims',
      operation_id: 'list_claims',
      summary: 'What the account said of numbers that did not work, and what we found.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER },
      query: pageQuery.extend({ state: claimState.optional() }),
      answers: { 200: { description: 'The oldest first.', json: pageOf(ownClaimShape) } },
    },
    async ({ query: { state, cursor, limit }, identity }) => {
      const { account_id } = customerOf(identity);
      const after = decodeCursor(cursor, cursorKey);
      const rows = await listClaims(pool, { account_id, state: state ?? null, after, rows_max: limit + 1 });
      return { status: 200, body: page(rows, limit, { key: keyOf, item: ownClaimAnswer }) };
    },
  );
}

export const claimParams = z.object({ claim_id: uuid });

function readRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/claims/{claim_id}',
      operation_id: 'read_claim',
      summary: 'What became of one claim.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER },
      params: claimParams,
      answers: { 200: { description: 'As it is now.', json: ownClaimShape } },
    },
    async ({ params: { claim_id }, identity }) => {
      const claim = await selectClaim(pool, claim_id);
      if (claim?.account_id !== customerOf(identity).account_id) throw new Problem('not_found');
      return { status: 200, body: ownClaimAnswer(claim) };
    },
  );
}

function withdrawRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/claims/{claim_id}/withdraw',
      operation_id: 'withdraw_claim',
      summary: 'Take a claim back, as when the number works again.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER },
      params: claimParams,
      answers: { 200: { description: 'Nobody looks into it any more.', json: ownClaimShape } },
      problems: ['too_late'],
    },
    async ({ params: { claim_id }, identity, now }) => {
      const { user_id, account_id } = customerOf(identity);
      const claim = await inTransaction(pool, async (tx) => {
        const locked = await lockClaim(tx, claim_id);
        if (locked?.account_id !== account_id) throw new Problem('not_found');
        if (locked.state === 'withdrawn') return locked;
        const state = nextClaimState(locked.state, 'withdraw');
        if (state === null) throw new Problem('too_late', 'We have answered it.');
        await tellCustomer(tx, account_id, { type: 'claim', id: claim_id, state });
        return closeClaim(tx, claim_id, {
          ...{
            state,
            closed_by: user_id,
            closed_at: now,
            answer: null,
            credit_days: 0,
            net_micros: 0n,
            tax_micros: 0n,
          },
        });
      });
      return { status: 200, body: ownClaimAnswer(claim) };
    },
  );
}
