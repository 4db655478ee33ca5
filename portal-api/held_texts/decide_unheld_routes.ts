import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { MessageIds } from '../../domain/texts/message_id.ts';
import type { PortalContext } from '../context.ts';
import { line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { ProblemName } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor, adminOf } from '../identity/whose.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import { decideUnheldText } from './unheld_text_rows.ts';
import type { UnheldDecision, UnheldVerdict } from './unheld_text_rows.ts';

const policy = { admin: ['operations', 'owner'] } as const;
const tag = 'admin texts';
const params = z.object({ message_id: uuid });
const problems = ['not_found', 'too_late', 'conflict', 'not_available'] as const;

/** What becomes of such a text: its number's holder gets it, or it is dealt with otherwise. */
export function decideUnheldRoutes(context: PortalContext): Route[] {
  const ids = new MessageIds(() => context.now().getTime());
  return [handOn(context, ids), dealWith(context)];
}

/** What each refusal means and what to do. */
const REFUSALS: Readonly<Record<Exclude<UnheldVerdict, 'done'>, readonly [ProblemName, string]>> = {
  not_found: ['not_found', 'No such text came for a number that nobody held.'],
  decided: ['too_late', 'It was decided about this text before: see the list of those that are not waiting.'],
  nobody: [
    'conflict',
    'Nobody holds the number now, or it is suspended. Wait until it is active, or deal with the text.',
  ],
  erased: ['not_available', 'The words of the text are erased, so that there is nothing to hand on.'],
  reason_needed: [
    'conflict',
    'The text came while the number was not this account’s, and may have been meant for who had it before. Say why it is theirs.',
  ],
};

type Done = UnheldDecision & { action: string };

async function decide(
  { pool }: PortalContext,
  { action, ...decision }: Done,
  asked: { identity: Parameters<typeof adminActor>[0]; now: Date },
): Promise<string | null> {
  const { message_id, copy_id, reason } = decision;
  return inTransaction(pool, async (tx) => {
    const { verdict, account_id } = await decideUnheldText(tx, decision, asked.now);
    if (verdict !== 'done') throw new Problem(...REFUSALS[verdict]);
    if (account_id !== null && copy_id !== null) {
      await tellCustomer(tx, account_id, { type: 'message', id: copy_id, state: 'received' });
    }
    await appendAudit(tx, {
      ...{ at: asked.now, actor: adminActor(asked.identity), action, account_id, subject: `message:${message_id}` },
      detail: { reason, given_as_message_id: copy_id },
    });
    return account_id;
  });
}

function handOn(context: PortalContext, ids: MessageIds): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/unheld-messages/{message_id}/hand-on',
      operation_id: 'admin_hand_on_unheld_message',
      summary:
        'Give a text to the account that holds its number now: as if it had arrived, its webhooks and binds included.',
      tag,
      policy,
      params,
      /** Needed where the text came while the number was not that account’s. */
      body: z.object({ reason: line(500).nullable().default(null) }),
      answers: {
        200: {
          description: 'Given.',
          json: z.object({ message_id: uuid, account_id: uuid, given_as_message_id: uuid }),
        },
      },
      problems,
    },
    async ({ params: { message_id }, body: { reason }, identity, now }) => {
      const given_as_message_id = ids.next();
      const by = adminOf(identity).user_id;
      const done = { action: 'unheld_message.hand_on', message_id, copy_id: given_as_message_id, reason, by };
      const account_id = await decide(context, done, { identity, now });
      if (account_id === null) throw new Error(`The text ${message_id} was given to nobody.`);
      return { status: 200, body: { message_id, account_id, given_as_message_id } };
    },
  );
}

function dealWith(context: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/unheld-messages/{message_id}/deal-with',
      operation_id: 'admin_deal_with_unheld_message',
      summary: 'Take a text off the list, and say why: nobody gets it.',
      tag,
      policy,
      params,
      body: z.object({ reason: line(500) }),
      answers: { 200: { description: 'Off the list.', json: z.object({ message_id: uuid }) } },
      problems,
    },
    async ({ params: { message_id }, body: { reason }, identity, now }) => {
      const by = adminOf(identity).user_id;
      const done = { action: 'unheld_message.deal_with', message_id, copy_id: null, reason, by };
      await decide(context, done, { identity, now });
      return { status: 200, body: { message_id } };
    },
  );
}
