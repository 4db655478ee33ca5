import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor, adminOf } from '../identity/whose.ts';
import { grantUnheldReveal, readUnheldReveal } from './unheld_text_rows.ts';

const policy = { admin: ['operations', 'owner'] } as const;
const tag = 'admin texts';
const REVEAL_MS = 5 * 60_000;

/** What such a text says and from whom it is, to one person for five minutes, as whatever is a customer's is revealed. */
export function revealUnheldRoutes(context: PortalContext): Route[] {
  return [reveal(context), readReveal(context)];
}

const grant = z.object({ reveal_id: uuid, message_id: uuid, ends_at: instantOut });

function reveal({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/unheld-messages/{message_id}/reveals',
      operation_id: 'admin_reveal_unheld_message',
      summary:
        'Be allowed to read one text that came for nobody, for five minutes. That you did, and why, is on record.',
      tag,
      policy,
      params: z.object({ message_id: uuid }),
      idempotent: true,
      body: z.object({ purpose: line(500) }),
      answers: { 201: { description: 'Look at it by its id.', json: grant } },
      problems: ['not_found'],
    },
    async ({ params: { message_id }, body: { purpose }, identity, operation_id: reveal_id, now }) => {
      const ends_at = new Date(now.getTime() + REVEAL_MS);
      await inTransaction(pool, async (tx) => {
        const wish = { reveal_id, message_id, admin_id: adminOf(identity).user_id, purpose, ends_at };
        if (!(await grantUnheldReveal(tx, wish, now))) throw new Problem('not_found');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'unheld_message.reveal', account_id: null },
          ...{ subject: `message:${message_id}`, purpose },
        });
      });
      return { status: 201, body: { reveal_id, message_id, ends_at } };
    },
  );
}

const revealed = grant.extend({
  sender: z.string(),
  encoding: z.enum(['gsm7', 'ucs2', 'binary']),
  /** In hex where it is no text to read; null where it was erased. */
  text: z.string().nullable(),
});

/** Apart from asking for it, so that what is kept for an idempotent request has nothing personal in it. */
function readReveal({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/unheld-message-reveals/{reveal_id}',
      operation_id: 'admin_read_unheld_message_reveal',
      summary: 'The text that was revealed to you, while that lasts.',
      tag,
      policy,
      params: z.object({ reveal_id: uuid }),
      answers: { 200: { description: 'Sender and words.', json: revealed } },
      problems: ['not_found'],
    },
    async ({ params: { reveal_id }, identity, now }) => {
      const body = await inTransaction(pool, async (tx) => {
        const found = await readUnheldReveal(tx, reveal_id, adminOf(identity).user_id, now);
        if (found === null) throw new Problem('not_found', 'It is over. Ask for it again if it is still needed.');
        const { purpose, encoding, ...told } = found;
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'unheld_message.view_revealed', account_id: null },
          ...{ subject: `message:${found.message_id}`, purpose },
        });
        return { reveal_id, ...told, encoding: encoding as z.input<typeof revealed>['encoding'] };
      });
      return { status: 200, body };
    },
  );
}
