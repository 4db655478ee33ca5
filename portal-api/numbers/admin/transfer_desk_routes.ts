import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Transaction } from '../../../domain/db/transaction.ts';
import { e164, instantOut, line, uuid } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { lockNumber } from '../lock_number.ts';
import { giveUpTransfer, tellSoon } from '../moving/tell_provider.ts';
import { saveTransfer, selectTransfer, untoldTransfers } from '../moving/transfer_rows.ts';
import type { Transfer } from '../moving/transfer_rows.ts';
import { nextTransferState, TRANSFER_STATES } from '../moving/transfer_state.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { PROVISIONING_EXPECTED_MS } from '../terms.ts';
import { NUMBERS_READ, NUMBERS_WRITE } from './inventory_routes.ts';

const LISTED_MAX = 200;

/** Transfers of which a provider does not know yet, or would not hear. */
export function transferDeskRoutes(desk: NumbersDesk): Route[] {
  return [queueRoute(desk), retryRoute(desk), giveUpRoute(desk)];
}

const queuedShape = z
  .object({
    transfer_id: uuid,
    number: e164,
    from_account_id: uuid,
    to_account_id: uuid.nullable(),
    state: z.enum(TRANSFER_STATES),
    provider_state: z.enum(['telling', 'told', 'refused', 'telling_back', 'told_back']).nullable(),
    provider_since: instantOut.nullable(),
    failure: z.string().nullable(),
    is_stuck: z.boolean(),
  })
  .meta({ id: 'QueuedNumberTransfer' });

function queued(transfer: Transfer, now: Date): z.input<typeof queuedShape> {
  const { id, number, from_account_id, to_account_id, state, provider_state, provider_since, failure } = transfer;
  const is_late = (provider_since ?? now).getTime() <= now.getTime() - PROVISIONING_EXPECTED_MS;
  const is_waiting = provider_state === 'telling' || provider_state === 'telling_back';
  const is_stuck = (is_waiting && is_late) || (provider_state === 'refused' && state === 'done');
  return {
    ...{ transfer_id: id, number, from_account_id, to_account_id, state, provider_state, provider_since },
    ...{ failure, is_stuck },
  };
}

function queueRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/number-transfers',
      operation_id: 'list_transfer_queue',
      summary: 'Transfers whose provider has not taken the new holder.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_READ },
      query: z.object({ stuck: z.enum(['yes', 'no']).optional() }),
      answers: {
        200: { description: 'Those that wait for longest first.', json: z.object({ items: z.array(queuedShape) }) },
      },
    },
    async ({ query, now }) => {
      const all = (await untoldTransfers(pool, LISTED_MAX)).map((one) => queued(one, now));
      return { status: 200, body: { items: all.filter(({ is_stuck }) => query.stuck !== 'yes' || is_stuck) } };
    },
  );
}

const transferParams = z.object({ transfer_id: uuid });

/** With its number's row locked. */
async function lockTransfer(tx: Transaction, id: string): Promise<Transfer> {
  const seen = await selectTransfer(tx, id);
  if (seen === null) throw new Problem('not_found');
  await lockNumber(tx, seen.number);
  const transfer = await selectTransfer(tx, id);
  if (transfer === null) throw new Problem('not_found');
  return transfer;
}

function retryRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/number-transfers/{transfer_id}/retry',
      operation_id: 'retry_number_transfer',
      summary: 'Tell the provider of the new holder again, now; also where it refused.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      idempotent: true,
      params: transferParams,
      answers: { 202: { description: 'It is told.', json: queuedShape } },
      problems: ['too_late'],
    },
    async ({ params, identity, now }) => {
      const transfer = await inTransaction(pool, async (tx) => {
        const found = await lockTransfer(tx, params.transfer_id);
        const is_refused = found.provider_state === 'refused' && found.state === 'done';
        const is_waiting = found.provider_state === 'telling' || found.provider_state === 'telling_back';
        if (!is_refused && !is_waiting) throw new Problem('too_late', 'Its provider has not to be told of anything.');
        const retried: Transfer = is_refused
          ? { ...found, provider_state: 'telling', provider_since: now, failure: null }
          : found;
        await saveTransfer(tx, retried);
        await tellSoon(tx, found);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'number_transfer.retry' },
          ...{ account_id: found.from_account_id, subject: `number_transfer:${found.id}` },
        });
        return retried;
      });
      return { status: 202, body: queued(transfer, now) };
    },
  );
}

function giveUpRoute({ pool }: NumbersDesk): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/number-transfers/{transfer_id}/give-up',
      operation_id: 'give_up_number_transfer',
      summary: 'Leave a number with its holder whose provider does not agree to the new one.',
      tag: 'admin: numbers',
      policy: { admin: NUMBERS_WRITE },
      idempotent: true,
      params: transferParams,
      body: z.object({ reason: line(200) }),
      answers: { 200: { description: 'It stays; the provider is told so.', json: queuedShape } },
      problems: ['too_late'],
    },
    async ({ params, body, identity, now }) => {
      const transfer = await inTransaction(pool, async (tx) => {
        const found = await lockTransfer(tx, params.transfer_id);
        if (nextTransferState(found.state, 'given_up') === null) {
          throw new Problem('too_late', 'It does not wait for its provider.');
        }
        const given_up = await giveUpTransfer(tx, found, body.reason, now);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'number_transfer.give_up' },
          ...{ account_id: found.from_account_id, subject: `number_transfer:${found.id}` },
          detail: { reason: body.reason },
        });
        return given_up;
      });
      return { status: 200, body: queued(transfer, now) };
    },
  );
}
