import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Transaction } from '../../../domain/db/transaction.ts';
import { moneyWords } from '../../../domain/money/money_words.ts';
import { prose } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import type { Admin, AdminRole } from '../../identity/identity.ts';
import { adminActor, adminOf } from '../../identity/whose.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { secondApprovalAbove } from '../../payments/approvals.ts';
import { lockWallet } from '../../payments/refunds.ts';
import { lockNumber } from '../lock_number.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { CREDIT_DAYS_MAX, daysIn, grantable, microsOf, payCredit, sumOf } from './claim_credit.ts';
import type { Granted } from './claim_credit.ts';
import { WHO_DECIDES } from './claim_desk_routes.ts';
import { claimParams } from './claim_routes.ts';
import { closeClaim, creditedBefore, lockClaim, selectClaim } from './claim_rows.ts';
import type { Claim } from './claim_rows.ts';
import { claimAnswer, claimShape } from './claim_shapes.ts';
import { nextClaimState } from './claim_state.ts';

const WHO_PAYS: readonly AdminRole[] = ['finance', 'operations', 'owner'];

const decision = z.discriminatedUnion('decision', [
  z.object({
    decision: z.literal('accept'),
    answer: prose(4000),
    /** 0 where nothing is given back; more by finance, operations or an owner. */
    credit_days: z.int().min(0).max(CREDIT_DAYS_MAX).default(0),
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

/** Answers a claim, and gives back what is granted for it. */
export function claimDecisionRoute(desk: NumbersDesk): Route {
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
