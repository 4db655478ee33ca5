import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { Revocation } from '../identity/sessions.ts';
import { adminActor, adminOf } from '../identity/whose.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { queueRevocation } from '../session/revocations.ts';
import { endWithAccount } from './account_closing.ts';
import { stepAccount } from './account_state.ts';
import { readAccount, readLimits } from './customer_rows.ts';
import type { AccountRow } from './customer_rows.ts';
import { limits, limitsOf } from './customer_shapes.ts';

const params = z.object({ account_id: uuid });
const count = (max: number) => z.int().min(0).max(max);
/** Zero keeps an account from all of it. */
const amount = z
  .string()
  .regex(/^(0|[1-9][0-9]{0,14})$/u)
  .transform(BigInt);

export function accountRoutes(context: PortalContext): Route[] {
  return [moveAccount(context), editLimits(context)];
}

const stateAnswer = z.object({
  account_id: uuid,
  state: z.enum(['inactive', 'active', 'suspended', 'closed']),
  version: z.int(),
});

function moveAccount(context: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/customers/{account_id}/state',
      operation_id: 'admin_move_account',
      summary: 'Suspend an account, reinstate it, or close it for good.',
      tag: 'admin customers',
      policy: { admin: ['support', 'finance', 'operations', 'owner'], step_up: true },
      params,
      versioned: true,
      body: z.object({ event: z.enum(['suspend', 'reinstate', 'activate', 'close']), reason: line(1000) }),
      answers: { 200: { description: 'For calls and texts at once.', json: stateAnswer } },
      problems: ['conflict'],
    },
    async ({ params: { account_id }, body, version, identity, now }) => {
      const { moved, revocations } = await inTransaction(context.pool, async (tx) => {
        const row = await lockedAt(tx, account_id, version);
        const state = stepAccount(row.state, body.event);
        if (state === null) throw new Problem('conflict', `An account that is ${row.state} cannot do this.`);
        await tx.query('update account set state = $2, version = version + 1 where id = $1', [account_id, state]);
        if (state === 'closed') await endWithAccount(tx, { account_id, admin_id: adminOf(identity).user_id });
        const template = state === 'active' ? 'restriction_ended' : 'restriction_set';
        const facts = { account: state, why: body.reason };
        await queueNotice(tx, { to: { account_id }, template, facts });
        await tellCustomer(tx, account_id, { type: 'account', id: account_id, state });
        // A closed account has nobody in it.
        const ended = state === 'closed' ? await queueForMembers(tx, account_id) : [];
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: `account.${body.event}`, account_id },
          ...{ subject: `account:${account_id}`, detail: { from: row.state, to: state, reason: body.reason } },
        });
        return { moved: { account_id, state, version: row.version + 1 }, revocations: ended };
      });
      for (const revocation of revocations) await context.sessions.carryOut(revocation);
      return { status: 200, body: moved, version: moved.version };
    },
  );
}

async function queueForMembers(tx: Transaction, account_id: string): Promise<Revocation[]> {
  const { rows } = await tx.query<{ user_id: string }>('select user_id from membership where account_id = $1', [
    account_id,
  ]);
  const revocations: Revocation[] = [];
  for (const { user_id } of rows) {
    revocations.push(await queueRevocation(tx, { user_id, account_id: null, except: null }));
  }
  return revocations;
}

function editLimits({ pool }: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/customers/{account_id}/limits',
      operation_id: 'admin_edit_limits',
      summary: 'What an account may do at most. If-Match is the ETag of the customer.',
      tag: 'admin customers',
      policy: { admin: ['finance', 'operations', 'owner'] },
      params,
      versioned: true,
      body: z.object({
        concurrent_calls_max: count(100_000),
        calls_per_second_max: count(10_000),
        spend_micros_per_hour_max: amount,
        spend_micros_per_day_max: amount,
        rate_micros_per_minute_max: amount,
        blocked_prefixes: z.array(z.string().regex(/^[1-9][0-9]{0,14}$/u)).max(500),
        texts_per_second_max: count(100_000).nullable(),
        texts_per_day_max: count(1_000_000_000).nullable(),
        reason: line(1000),
      }),
      answers: { 200: { description: 'For the next call and the next text.', json: limits } },
      problems: ['conflict'],
    },
    async ({ params: { account_id }, body, version, identity, now }) => {
      const { reason, texts_per_second_max: per_second, texts_per_day_max: per_day, ...calls } = body;
      if ((per_second === null) !== (per_day === null)) {
        throw new Problem('invalid', 'Both limits of texts are set, or neither.');
      }
      const edited = await inTransaction(pool, async (tx) => {
        const row = await lockedAt(tx, account_id, version);
        const before = await readLimits(tx, account_id);
        if (before === null) throw new Problem('conflict', 'The account has no limits to edit.');
        await tx.query(
          `update call_limit set concurrent_calls_max = $2, calls_per_second_max = $3, spend_micros_per_hour_max = $4,
                  spend_micros_per_day_max = $5, rate_micros_per_minute_max = $6, blocked_prefixes = $7 where account_id = $1`,
          [
            ...[account_id, calls.concurrent_calls_max, calls.calls_per_second_max],
            ...[calls.spend_micros_per_hour_max, calls.spend_micros_per_day_max, calls.rate_micros_per_minute_max],
            calls.blocked_prefixes,
          ],
        );
        await setTextLimits(tx, account_id, per_second, per_day);
        await tx.query('update account set version = version + 1 where id = $1', [account_id]);
        // The gateway remembers whom it may not write to; of limits of texts it hears by itself.
        await tx.query(`select pg_notify('gateway', 'call_limit')`);
        const after = await readLimits(tx, account_id);
        if (after === null) throw new Error('Limits that were edited are gone.');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'account.edit_limits', account_id },
          ...{ subject: `account:${account_id}`, detail: { before, after, reason } },
        });
        return { body: limitsOf(after), version: row.version + 1 };
      });
      return { status: 200, ...edited };
    },
  );
}

/** Null: the defaults hold, which is to say that there is no row. */
async function setTextLimits(
  tx: Transaction,
  account_id: string,
  per_second: number | null,
  per_day: number | null,
): Promise<void> {
  if (per_second === null || per_day === null) {
    await tx.query('delete from text_limit where account_id = $1', [account_id]);
    return;
  }
  await tx.query(
    `insert into text_limit (account_id, texts_per_second_max, texts_per_day_max) values ($1, $2, $3)
     on conflict (account_id) do update set texts_per_second_max = $2, texts_per_day_max = $3`,
    [account_id, per_second, per_day],
  );
}

async function lockedAt(tx: Transaction, account_id: string, version: number | null): Promise<AccountRow> {
  const row = await readAccount(tx, account_id, true);
  if (row === null) throw new Problem('not_found');
  if (row.version !== version) throw new Problem('version_conflict', 'Somebody else has changed it. Read it again.');
  return row;
}
