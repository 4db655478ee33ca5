import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { line, uuid } from '../http/fields.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor } from '../identity/whose.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { mustHaveAccount, peopleOf } from './people_of_account.ts';

/**
 * Signs everybody out who may act for an account. A session is a person's and not an account's: whoever came in by a stolen one may use
 * whatever that person may, so all of theirs end. They sign in again with what they have.
 */
export function endSessions({ pool, sessions }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/customers/{account_id}/sessions/end',
      operation_id: 'admin_end_sessions',
      summary: 'Sign everybody out who may act for an account, at once. They are told why by mail.',
      tag: 'admin customers',
      policy: { admin: ['support', 'owner'] },
      idempotent: true,
      params: z.object({ account_id: uuid }),
      /** The customer reads it. */
      body: z.object({ reason: line(500) }),
      answers: { 200: { description: 'How many sign-ins have ended.', json: z.object({ ended: z.int() }) } },
      problems: ['not_found'],
    },
    async ({ params: { account_id }, body: { reason }, identity, now }) => {
      // Those who wait for Redis keep no row locked: it is asked before anything is written, and should what follows fail, the same is
      // asked for again and finds nobody signed in.
      await mustHaveAccount(pool, account_id);
      const people = await peopleOf(pool, account_id);
      const counts = await Promise.all(people.map((user_id) => sessions.revokeAll(user_id, null)));
      const ended = counts.reduce((sum, count) => sum + count, 0);
      await inTransaction(pool, async (tx) => {
        for (const user_id of people) {
          const facts = { at: now.toISOString(), reason };
          await queueNotice(tx, { to: { user_id }, template: 'signed_out', facts });
          // Ends what they listen to as well, in every process.
          await tellCustomer(tx, account_id, { type: 'signed_out', id: user_id });
        }
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'sessions.end', account_id },
          ...{ subject: `account:${account_id}`, detail: { reason, ended } },
        });
      });
      return { status: 200, body: { ended } };
    },
  );
}
