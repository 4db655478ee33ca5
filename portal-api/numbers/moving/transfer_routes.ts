import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import { e164, instantOut, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { EVERY_CUSTOMER, OWNER } from '../../identity/policy.ts';
import { accountOf, customerOf } from '../../identity/whose.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { numberParams } from '../offers/offer_routes.ts';
import { BUYER_PROBLEMS, refuse, refuseForDocuments } from '../refusals.ts';
import { acceptTransfer, offerTransfer, withdrawTransfer } from './transfer.ts';
import type { Accepted } from './transfer.ts';
import { transfersOf } from './transfer_rows.ts';
import type { Transfer } from './transfer_rows.ts';
import { TRANSFER_STATES } from './transfer_state.ts';

const LISTED_MAX = 100;

export function transferRoutes(desk: NumbersDesk): Route[] {
  return [offerRoute(desk), withdrawRoute(desk), acceptRoute(desk), listRoute(desk)];
}

const transferShape = z
  .object({
    transfer_id: uuid,
    number: e164,
    /** `with_provider`: both of you agreed, and it is handed over once the provider of the number has, too. */
    state: z.enum(TRANSFER_STATES),
    /** Whether you gave it or got it. */
    side: z.enum(['from', 'to']),
    offered_at: instantOut,
    expires_at: instantOut,
    decided_at: instantOut.nullable(),
    /** Whether nobody agreed to it, and we decided whose the number is. */
    is_decided_by_us: z.boolean(),
  })
  .meta({ id: 'NumberTransfer' });

function transferAnswer(transfer: Transfer, account_id: string): z.input<typeof transferShape> {
  const { id, number, state, offered_at, expires_at, decided_at, from_account_id } = transfer;
  const side = from_account_id === account_id ? 'from' : 'to';
  const is_decided_by_us = transfer.dispute_id !== null;
  return { transfer_id: id, number, state, side, offered_at, expires_at, decided_at, is_decided_by_us };
}

function offerRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/numbers/{number}/transfer',
      operation_id: 'offer_transfer',
      summary: 'Consent to hand a number to another customer, who accepts it with the code.',
      tag: 'numbers',
      policy: { customer: OWNER, step_up: true },
      idempotent: true,
      secret_answer: { found_at: '/v1/number-transfers', new_secret_at: null },
      params: numberParams,
      answers: {
        201: {
          description: 'The code is shown this once. Give it to whom the number is to go.',
          json: transferShape.extend({ code: z.string() }),
        },
      },
      problems: ['conflict'],
    },
    async ({ params, identity, operation_id, now }) => {
      const account_id = accountOf(identity);
      const wish = { transfer_id: operation_id, number: params.number, account_id, now };
      const offered = await inTransaction(pool, async (tx) => {
        const answer = await offerTransfer(tx, wish);
        if (answer.kind !== 'offered') return answer;
        await appendAudit(tx, {
          ...{
            at: now,
            actor: { kind: 'customer', id: customerOf(identity).user_id },
            action: 'number.offer_transfer',
          },
          ...{ account_id, subject: `number_transfer:${answer.transfer.id}`, detail: {} },
        });
        return answer;
      });
      switch (offered.kind) {
        case 'offered':
          return { status: 201, body: { ...transferAnswer(offered.transfer, account_id), code: offered.code } };
        case 'not_found':
          throw new Problem('not_found');
        case 'not_transferable':
          throw new Problem(
            'conflict',
            'A number is handed over that is paid, not cancelled, not on its way elsewhere, and not said to be somebody else’s.',
          );
        case 'already_offered':
          throw new Problem('conflict', 'It is offered already. Withdraw that, and offer it again for a new code.');
      }
    },
  );
}

function withdrawRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/numbers/{number}/transfer',
      operation_id: 'withdraw_transfer',
      summary: 'Take the offer of a number back.',
      tag: 'numbers',
      policy: { customer: OWNER },
      params: numberParams,
      answers: { 204: { description: 'Its code is worth nothing from now on.', empty: true } },
      problems: ['too_late'],
    },
    async ({ params, identity, now }) => {
      const whose = { number: params.number, account_id: accountOf(identity), now };
      const withdrawn = await inTransaction(pool, (tx) => withdrawTransfer(tx, whose));
      if (withdrawn === 'not_found') throw new Problem('not_found');
      if (withdrawn === 'accepted') {
        throw new Problem('too_late', 'It was accepted already. It is handed over once its provider agrees.');
      }
      return { status: 204 };
    },
  );
}

function acceptRoute(desk: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/number-transfers/accept',
      operation_id: 'accept_transfer',
      summary: 'Consent to take a number over, at its price, with the rest of its paid month.',
      tag: 'numbers',
      policy: { customer: OWNER, step_up: true },
      pace: 'guess',
      idempotent: true,
      body: z.object({ code: z.string().regex(/^[A-Za-z0-9_-]{32}$/u), consent: z.literal(true) }),
      answers: {
        201: {
          description: 'The number is yours, or is once its provider agrees; see its state.',
          json: transferShape,
        },
      },
      problems: [...BUYER_PROBLEMS, 'code_wrong'],
    },
    async ({ body, identity, operation_id, now }) => {
      const account_id = accountOf(identity);
      const acceptance = { holding_id: operation_id, code: body.code, account_id, now };
      const accepted = await inTransaction(desk.pool, (tx) => acceptTransfer(tx, acceptance, desk));
      return { status: 201, body: transferAnswer(acceptedOrRefuse(accepted), account_id) };
    },
  );
}

function acceptedOrRefuse(accepted: Accepted): Transfer {
  switch (accepted.kind) {
    case 'accepted':
      return accepted.transfer;
    case 'kyc_required':
      return refuseForDocuments(accepted.missing);
    case 'no_such_code':
      throw new Problem('code_wrong', 'No number is offered by this code any more. Ask its holder for another.');
    case 'own_number':
      throw new Problem('conflict', 'The number is yours already.');
    case 'not_transferable':
      throw new Problem('conflict', 'The number cannot be handed over as it stands. Ask its holder.');
    default:
      return refuse(accepted.kind);
  }
}

function listRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/number-transfers',
      operation_id: 'list_transfers',
      summary: 'Numbers that you handed over, or were handed.',
      tag: 'numbers',
      policy: { customer: EVERY_CUSTOMER },
      answers: { 200: { description: 'The newest first.', json: z.object({ items: z.array(transferShape) }) } },
    },
    async ({ identity }) => {
      const account_id = accountOf(identity);
      const transfers = await transfersOf(pool, account_id, LISTED_MAX);
      return { status: 200, body: { items: transfers.map((one) => transferAnswer(one, account_id)) } };
    },
  );
}
