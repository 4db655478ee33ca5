import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import type { AuditActor } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Transaction } from '../../../domain/db/transaction.ts';
import { prose } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor, adminOf } from '../../identity/whose.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { NUMBERS_WRITE } from '../admin/inventory_routes.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { lockDispute, saveDispute } from './dispute_rows.ts';
import type { Dispute } from './dispute_rows.ts';
import { disputeAnswer, disputeParams, disputeShape } from './dispute_shapes.ts';
import { nextDisputeState } from './dispute_state.ts';
import { giveToClaimant, mayGive } from './give_to_claimant.ts';
import type { Givable } from './give_to_claimant.ts';
import { hindranceWords } from './hindrance_words.ts';
import { leaveWithHolder } from './leave_with_holder.ts';
import { tellBoth } from './open_dispute.ts';
import { recordForBoth } from './record_for_both.ts';

const decision = z.object({
  /** To uphold it takes two of us, each of whom says so; `send_back`: the first one was too fast. */
  decision: z.enum(['uphold', 'reject', 'send_back']),
  /** Both sides read the one of the decision, so it names neither to the other. The one of `send_back` only we read, in the log. */
  answer: prose(4000),
});

interface Decision {
  event: z.output<typeof decision>['decision'];
  answer: string;
  admin_id: string;
  now: Date;
}

/** Decides whose a number is: to leave it with its holder takes one of us, to take it from him two. */
export function disputeDecisionRoute(desk: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/ownership-disputes/{dispute_id}/decision',
      operation_id: 'admin_decide_ownership_dispute',
      summary: 'Leave a number with its holder; or propose to give it to the claimant, and, as another admin, do so.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE, step_up: true },
      params: disputeParams,
      idempotent: true,
      versioned: true,
      body: decision,
      answers: {
        200: { description: '`proposed`: it waits for another admin. Else closed, and told.', json: disputeShape },
      },
      problems: ['too_late', 'conflict', 'second_approval_required'],
    },
    async ({ identity, params: { dispute_id }, body, version, now }) => {
      const wish = { event: body.decision, answer: body.answer, admin_id: adminOf(identity).user_id, now };
      const dispute = await inTransaction(desk.pool, async (tx) => {
        const locked = await lockDispute(tx, dispute_id);
        if (locked === null) throw new Problem('not_found');
        if (locked.version !== version) {
          throw new Problem('version_conflict', 'Somebody else has changed it. Read it again.');
        }
        const decided = await decide(tx, desk, locked, wish);
        await record(tx, adminActor(identity), decided, wish);
        return decided;
      });
      return { status: 200, body: disputeAnswer(dispute), version: dispute.version };
    },
  );
}

/** What is not decided yet is for us alone; a decision each side sees in its own part of the log. */
async function record(
  tx: Transaction,
  actor: AuditActor,
  dispute: Dispute,
  { event, answer, now }: Decision,
): Promise<void> {
  const action = 'ownership_dispute.decide';
  const detail = { decision: event, state: dispute.state, ...(event === 'send_back' ? { reason: answer } : {}) };
  if (dispute.closed_at !== null) return recordForBoth(tx, dispute, { actor, action, detail, now });
  const subject = `ownership_dispute:${dispute.id}`;
  await appendAudit(tx, { at: now, actor, action, account_id: null, subject, detail });
}

async function decide(tx: Transaction, desk: NumbersDesk, dispute: Dispute, wish: Decision): Promise<Dispute> {
  const { event, answer, admin_id, now } = wish;
  const state = nextDisputeState(dispute.state, event);
  if (state === null) {
    throw new Problem('too_late', dispute.closed_at === null ? 'Nobody has proposed anything.' : 'It is closed.');
  }
  switch (state) {
    case 'proposed': {
      // Whoever is second is to find that it can be done.
      await givableOrRefuse(tx, desk, dispute, now);
      return saveDispute(tx, { ...dispute, state, proposed_by: admin_id, proposed_at: now, answer });
    }
    case 'upheld': {
      if (dispute.proposed_by === admin_id) {
        throw new Problem('second_approval_required', 'You have proposed it. Another one of us has to agree.');
      }
      const givable = await givableOrRefuse(tx, desk, dispute, now);
      const upheld = await close(tx, dispute, { state, answer }, wish);
      await giveToClaimant(tx, upheld, givable, { why: answer, now });
      return upheld;
    }
    case 'rejected': {
      const rejected = await close(tx, dispute, { state, answer }, wish);
      await leaveWithHolder(tx, rejected, answer, now);
      const { number, claimant_account_id: account_id } = rejected;
      await queueNotice(tx, { to: { account_id }, template: 'ownership_refused', facts: { number, why: answer } });
      return rejected;
    }
    default:
      return saveDispute(tx, { ...dispute, state, proposed_by: null, proposed_at: null, answer: null });
  }
}

async function givableOrRefuse(tx: Transaction, desk: NumbersDesk, dispute: Dispute, now: Date): Promise<Givable> {
  const may = await mayGive(tx, dispute, desk, now);
  if ('hindrance' in may) throw new Problem('conflict', hindranceWords(may.hindrance));
  return may;
}

async function close(
  tx: Transaction,
  dispute: Dispute,
  outcome: { state: 'upheld' | 'rejected'; answer: string },
  { admin_id, now }: Decision,
): Promise<Dispute> {
  const closed = await saveDispute(tx, { ...dispute, ...outcome, closed_by: admin_id, closed_at: now });
  await tellBoth(tx, closed);
  return closed;
}
