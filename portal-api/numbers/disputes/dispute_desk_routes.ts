import { z } from 'zod';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Transaction } from '../../../domain/db/transaction.ts';
import { viewOnRecord } from '../../audit/view_on_record.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { e164, instant, instantOut, line, prose, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor, adminOf } from '../../identity/whose.ts';
import { NUMBERS_READ, NUMBERS_WRITE } from '../admin/inventory_routes.ts';
import { pendingCancellation } from '../holdings/cancel_number.ts';
import { holdersOf } from '../holdings/holding_rows.ts';
import { transfersOfNumber } from '../moving/transfer_rows.ts';
import { TRANSFER_STATES } from '../moving/transfer_state.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { DISPUTE_KEPT_MS } from '../terms.ts';
import { listDisputes, lockDispute, saveDispute } from './dispute_rows.ts';
import type { Dispute } from './dispute_rows.ts';
import { disputeAnswer, disputeKind, disputeParams, disputeShape, disputeState } from './dispute_shapes.ts';
import { keyOf, listedDisputeAnswer, listedDisputeShape } from './dispute_shapes.ts';
import { mayGive } from './give_to_claimant.ts';
import { hindranceWords } from './hindrance_words.ts';
import { openDispute, tellDisputed } from './open_dispute.ts';
import { openedOrRefuse } from './opened_or_refuse.ts';
import { recordForBoth } from './record_for_both.ts';

const TRANSFERS_MAX = 100;

/** Whose a number is, where two customers say that it is theirs. */
export function disputeDeskRoutes(desk: NumbersDesk): Route[] {
  return [listRoute(desk), readRoute(desk), openRoute(desk), keepRoute(desk)];
}

function listRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/ownership-disputes',
      operation_id: 'admin_list_ownership_disputes',
      summary: 'Numbers that two customers say are theirs, as they wait; of one account or of all.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_READ },
      query: pageQuery.extend({ state: disputeState.optional(), account_id: uuid.optional(), purpose: line(500) }),
      answers: { 200: { description: 'The oldest first.', json: pageOf(listedDisputeShape) } },
    },
    async ({ identity, query: { state, account_id = null, purpose, cursor, limit }, now }) => {
      const after = decodeCursor(cursor, z.tuple([instant, uuid]));
      const subject = account_id === null ? 'ownership_disputes' : `account:${account_id}`;
      const view = { action: 'ownership_dispute.list', account_id, subject, purpose };
      const rows = await viewOnRecord(pool, { identity, now }, view, (tx) =>
        listDisputes(tx, { account_id, state: state ?? null, after, rows_max: limit + 1 }),
      );
      return { status: 200, body: page(rows, limit, { key: keyOf, item: listedDisputeAnswer }) };
    },
  );
}

const disputeSeen = disputeShape
  .extend({
    /** Everybody who ever had the number, the first first. */
    holders: z.array(
      z.object({
        account_id: uuid,
        held_from: instantOut,
        held_to: instantOut.nullable(),
        end_reason: z.enum(['cancelled', 'unpaid', 'transferred', 'ported_out', 'forced']).nullable(),
      }),
    ),
    /** How it went from one to another, the newest first. */
    transfers: z.array(
      z.object({
        transfer_id: uuid,
        from_account_id: uuid,
        to_account_id: uuid.nullable(),
        state: z.enum(TRANSFER_STATES),
        offered_at: instantOut,
        accepted_at: instantOut.nullable(),
        decided_at: instantOut.nullable(),
      }),
    ),
    /** A cancellation that waits, which is taken back where the number is given to the claimant; `reason`: one of us cancelled it. */
    cancellation: z.object({ effective_at: instantOut, reason: z.string().nullable() }).nullable(),
    /** What keeps it from being given to the claimant as things stand, and what to do; null where nothing does, or it is closed. */
    hindrance: z.string().nullable(),
  })
  .meta({ id: 'OwnershipDisputeSeen' });

function readRoute(desk: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/ownership-disputes/{dispute_id}',
      operation_id: 'admin_read_ownership_dispute',
      summary:
        'What both sides say, who had the number when and how it came to the next, and what a decision would need.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_READ },
      params: disputeParams,
      /** Both sides read the purpose, so it names neither to the other. */
      query: z.object({ purpose: line(500) }),
      answers: { 200: { description: 'As it is now, and its ETag.', json: disputeSeen } },
    },
    async ({ identity, params: { dispute_id }, query: { purpose }, now }) => {
      const body = await inTransaction(desk.pool, async (tx) => {
        const dispute = await lockDispute(tx, dispute_id);
        if (dispute === null) throw new Problem('not_found');
        const told = await seen(tx, desk, dispute, now);
        const view = { actor: adminActor(identity), action: 'ownership_dispute.view', purpose, now };
        await recordForBoth(tx, dispute, view);
        return told;
      });
      return { status: 200, body, version: body.version };
    },
  );
}

async function seen(
  tx: Transaction,
  desk: NumbersDesk,
  dispute: Dispute,
  now: Date,
): Promise<z.input<typeof disputeSeen>> {
  const holders = await holdersOf(tx, dispute.number);
  const transfers = await transfersOfNumber(tx, dispute.number, TRANSFERS_MAX);
  const may = dispute.closed_at === null ? await mayGive(tx, dispute, desk, now) : null;
  const pending = await pendingCancellation(tx, dispute.holding_id);
  return {
    ...disputeAnswer(dispute),
    cancellation: pending && { effective_at: pending.effective_at, reason: pending.reason },
    holders: holders.map(({ account_id, held_from, held_to, end_reason }) => ({
      ...{ account_id, held_from, held_to, end_reason },
    })),
    transfers: transfers.map(({ id, from_account_id, to_account_id, state, offered_at, accepted_at, decided_at }) => ({
      ...{ transfer_id: id, from_account_id, to_account_id, state, offered_at, accepted_at, decided_at },
    })),
    hindrance: may !== null && 'hindrance' in may ? hindranceWords(may.hindrance) : null,
  };
}

function openRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/ownership-disputes',
      operation_id: 'admin_dispute_ownership',
      summary: 'Write down that a number is said to be a customer’s which another one has, as a letter of his shows.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE, step_up: true },
      idempotent: true,
      body: z.object({ number: e164, claimant_account_id: uuid, kind: disputeKind, words: prose(4000) }),
      answers: {
        201: { description: 'The number stays where it is until two of us have decided.', json: disputeShape },
      },
      problems: ['not_found', 'conflict'],
    },
    async ({ body, identity, operation_id: id, now }) => {
      const actor = adminActor(identity);
      const dispute = await inTransaction(pool, async (tx) => {
        await requireAccount(tx, body.claimant_account_id);
        const wish = { id, ...body, opened_by: adminOf(identity).user_id, by: 'operator', now } as const;
        const opened = openedOrRefuse(await openDispute(tx, wish));
        const detail = { kind: body.kind };
        if (opened.is_new) {
          await recordForBoth(tx, opened.dispute, { actor, action: 'ownership_dispute.open', detail, now });
        }
        return opened.dispute;
      });
      return { status: 201, body: disputeAnswer(dispute), version: dispute.version };
    },
  );
}

function keepRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/ownership-disputes/{dispute_id}/keep',
      operation_id: 'keep_disputed_number',
      summary: 'Have a number stay where it is for 60 days from now on, as we are not done; its holder is told.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE, step_up: true },
      params: disputeParams,
      idempotent: true,
      versioned: true,
      body: z.object({ reason: line(500) }),
      answers: { 200: { description: 'As it is now.', json: disputeShape } },
      problems: ['too_late'],
    },
    async ({ identity, params: { dispute_id }, body: { reason }, version, now }) => {
      const dispute = await inTransaction(pool, async (tx) => {
        const locked = await lockDispute(tx, dispute_id);
        if (locked === null) throw new Problem('not_found');
        if (locked.version !== version) {
          throw new Problem('version_conflict', 'Somebody else has changed it. Read it again.');
        }
        if (locked.closed_at !== null) throw new Problem('too_late', 'It is closed.');
        const kept = await saveDispute(tx, { ...locked, kept_until: new Date(now.getTime() + DISPUTE_KEPT_MS) });
        await tellDisputed(tx, kept);
        const keeping = { actor: adminActor(identity), action: 'ownership_dispute.keep', detail: { reason }, now };
        await recordForBoth(tx, kept, keeping);
        return kept;
      });
      return { status: 200, body: disputeAnswer(dispute), version: dispute.version };
    },
  );
}

async function requireAccount(tx: Transaction, account_id: string): Promise<void> {
  const { rows } = await tx.query('select from account where id = $1', [account_id]);
  if (rows.length === 0) throw new Problem('not_found', 'There is no account of this claimant_account_id.');
}
