import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Transaction } from '../../../domain/db/transaction.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { e164, instant, prose, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { EVERY_CUSTOMER, OWNER } from '../../identity/policy.ts';
import { accountOf, customerOf } from '../../identity/whose.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { listDisputes, lockDispute, saveStatement } from './dispute_rows.ts';
import type { Dispute } from './dispute_rows.ts';
import { disputeKind, disputeParams, keyOf, ownDisputeAnswer, ownDisputeShape } from './dispute_shapes.ts';
import { openDispute } from './open_dispute.ts';
import { openedOrRefuse } from './opened_or_refuse.ts';
import { withdrawDispute } from './withdraw_dispute.ts';

/** A number that somebody else has, and that was this customer's; or that this customer has, and somebody else says is his. */
export function disputeRoutes(desk: NumbersDesk): Route[] {
  return [openRoute(desk), listRoute(desk), stateRoute(desk), withdrawRoute(desk)];
}

function openRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/ownership-disputes',
      operation_id: 'dispute_ownership',
      summary: 'Say that a number which somebody else has is yours. Until we have decided it is not handed on.',
      tag: 'numbers',
      policy: { customer: OWNER, step_up: true },
      idempotent: true,
      body: z.object({ number: e164, kind: disputeKind, words: prose(4000) }),
      answers: { 201: { description: 'Two of us look into it. You are told by mail.', json: ownDisputeShape } },
      problems: ['not_found', 'conflict'],
    },
    async ({ body, identity, operation_id: id, now }) => {
      const { user_id, account_id } = customerOf(identity);
      const wish = { id, ...body, claimant_account_id: account_id, opened_by: user_id, by: 'claimant', now } as const;
      const dispute = await inTransaction(pool, async (tx) => {
        const opened = openedOrRefuse(await openDispute(tx, wish));
        if (opened.is_new) await record(tx, opened.dispute, { action: 'ownership_dispute.open', user_id, now });
        return opened.dispute;
      });
      return { status: 201, body: ownDisputeAnswer(dispute, account_id) };
    },
  );
}

/** What a customer does about a dispute, for whoever asks later who did. */
function record(
  tx: Transaction,
  { id }: Dispute,
  { action, user_id, now }: { action: string; user_id: string; now: Date },
): Promise<void> {
  const actor = { kind: 'customer', id: user_id } as const;
  return appendAudit(tx, { at: now, actor, action, account_id: null, subject: `ownership_dispute:${id}` });
}

const cursorKey = z.tuple([instant, uuid]);

function listRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/ownership-disputes',
      operation_id: 'list_ownership_disputes',
      summary: 'Numbers that you say are yours, and numbers of yours that somebody else says are his.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER },
      query: pageQuery,
      answers: { 200: { description: 'The oldest first.', json: pageOf(ownDisputeShape) } },
    },
    async ({ query: { cursor, limit }, identity }) => {
      const account_id = accountOf(identity);
      const after = decodeCursor(cursor, cursorKey);
      const rows = await listDisputes(pool, { account_id, state: null, after, rows_max: limit + 1 });
      const item = (row: Dispute) => ownDisputeAnswer(row, account_id);
      return { status: 200, body: page(rows, limit, { key: keyOf, item }) };
    },
  );
}

function stateRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'put',
      path: '/v1/ownership-disputes/{dispute_id}/statement',
      operation_id: 'answer_ownership_dispute',
      summary: 'Say why a number of yours is yours, which whoever decides reads.',
      tag: 'numbers',
      policy: { customer: OWNER },
      params: disputeParams,
      body: z.object({ words: prose(4000) }),
      answers: { 200: { description: 'It stands in place of what you said before.', json: ownDisputeShape } },
      problems: ['too_late'],
    },
    async ({ params: { dispute_id }, body, identity, now }) => {
      const { user_id, account_id } = customerOf(identity);
      const { words } = body;
      const dispute = await inTransaction(pool, async (tx) => {
        const locked = await lockDispute(tx, dispute_id);
        if (locked?.holder_account_id !== account_id) throw new Problem('not_found');
        if (locked.closed_at !== null) throw new Problem('too_late', 'It is closed.');
        await saveStatement(tx, dispute_id, words, now);
        await record(tx, locked, { action: 'ownership_dispute.answer', user_id, now });
        return { ...locked, holder_words: words, holder_answered_at: now };
      });
      return { status: 200, body: ownDisputeAnswer(dispute, account_id) };
    },
  );
}

function withdrawRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/ownership-disputes/{dispute_id}/withdraw',
      operation_id: 'withdraw_ownership_dispute',
      summary: 'Take back that a number is yours. You cannot say so of this holder again.',
      tag: 'numbers',
      policy: { customer: OWNER, step_up: true },
      params: disputeParams,
      answers: { 200: { description: 'Nobody looks into it any more.', json: ownDisputeShape } },
      problems: ['too_late'],
    },
    async ({ params: { dispute_id }, identity, now }) => {
      const { user_id, account_id } = customerOf(identity);
      const dispute = await inTransaction(pool, async (tx) => {
        const locked = await lockDispute(tx, dispute_id);
        if (locked?.claimant_account_id !== account_id) throw new Problem('not_found');
        if (locked.state === 'withdrawn') return locked;
        const closed = await withdrawDispute(tx, locked, user_id, now);
        if (closed === null) throw new Problem('too_late', 'It is closed.');
        await record(tx, closed, { action: 'ownership_dispute.withdraw', user_id, now });
        return closed;
      });
      return { status: 200, body: ownDisputeAnswer(dispute, account_id) };
    },
  );
}
