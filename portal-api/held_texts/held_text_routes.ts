import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { decideHeldMessage } from '../../domain/texts/decisions.ts';
import { heldCounts, heldMessages } from '../../domain/texts/screening/held_messages.ts';
import type { HeldMessage } from '../../domain/texts/screening/held_messages.ts';
import { recordShown } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { maskPhone } from '../desk/masking.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instantOut, line, microsOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor } from '../identity/whose.ts';
import { maskText } from './mask_text.ts';

const WHO_SEES = { admin: ['support', 'operations', 'owner'] } as const;
const WHO_DECIDES = { admin: ['operations', 'owner'] } as const;
const ACCOUNTS_MAX = 100;

export function heldTextRoutes(context: PortalContext): Route[] {
  return [list(context), listAccounts(context), decide(context, 'release'), decide(context, 'refuse')];
}

const heldText = z
  .object({
    message_id: uuid,
    account_id: uuid,
    /** held: before it was sent. in_doubt: it is not known whether a carrier took it, so letting it go may send it twice. */
    state: z.enum(['held', 'in_doubt']),
    /** Why, in words. */
    reason: z.string().nullable(),
    accepted_at: instantOut,
    /** When it ends undecided, and its price goes back. */
    valid_until: instantOut,
    sender_masked: z.string(),
    recipient_masked: z.string(),
    /** Its words and links, without digits and addresses. Null where it is no text to read, or was erased. */
    text_masked: z.string().nullable(),
    class: z.string(),
    destination: z.string().nullable(),
    segments: z.int(),
    net_micros: microsOut,
    currency: z.string().nullable(),
  })
  .meta({ id: 'HeldMessage' });

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/held-messages',
      operation_id: 'admin_list_held_messages',
      summary: 'Texts that wait for a decision, of all accounts or of one.',
      tag: 'admin texts',
      policy: WHO_SEES,
      query: pageQuery.extend({ account_id: uuid.optional(), purpose: line(500) }),
      answers: { 200: { description: 'The oldest first.', json: pageOf(heldText) } },
    },
    async ({ query: { cursor, limit, account_id = null, purpose }, identity, now }) => {
      const after = decodeCursor(cursor, z.tuple([uuid]))?.[0] ?? null;
      const rows = await inTransaction(pool, async (tx) => {
        const found = await heldMessages(tx, { after, rows_max: limit + 1, account_id });
        const view = { action: 'held_messages.view', account_id, subject: 'held_messages', purpose };
        await recordShown(tx, { identity, now }, view, found.slice(0, limit));
        return found;
      });
      return { status: 200, body: page(rows, limit, { key: ({ message_id }) => [message_id], item: heldTextOf }) };
    },
  );
}

function heldTextOf({ sender, recipient, body, ...text }: HeldMessage): z.input<typeof heldText> {
  const { encoding, ...rest } = text;
  return {
    ...rest,
    ...{ sender_masked: maskSender(sender), recipient_masked: maskPhone(recipient) },
    text_masked: body === null || encoding === 'binary' ? null : maskText(body),
  };
}

/** A name or a short code is a business's, and what a rule may be about. */
const maskSender = (sender: string): string => (sender.startsWith('+') ? maskPhone(sender) : sender);

const heldCount = z.object({
  account_id: uuid,
  held: z.int(),
  in_doubt: z.int(),
  oldest_accepted_at: instantOut,
});

function listAccounts({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/held-messages/accounts',
      operation_id: 'admin_count_held_messages',
      summary: `How much waits for a decision, by account: the ${ACCOUNTS_MAX} with the most.`,
      tag: 'admin texts',
      policy: WHO_SEES,
      answers: {
        200: { description: 'The most first.', json: z.object({ items: z.array(heldCount) }) },
      },
    },
    async () => ({ status: 200, body: { items: await heldCounts(pool, ACCOUNTS_MAX) } }),
  );
}

const WORDS = {
  release: {
    operation_id: 'admin_release_held_message',
    summary: 'Let a text go on its way. One in doubt is sent once more, and may arrive twice.',
    state: 'released',
  },
  refuse: {
    operation_id: 'admin_refuse_held_message',
    summary: 'End a text. What no carrier took goes back to the wallet, and the customer reads the reason.',
    state: 'refused',
  },
} as const;

function decide({ pool }: PortalContext, what: 'release' | 'refuse'): Route {
  const { operation_id, summary, state } = WORDS[what];
  return route(
    {
      method: 'post',
      path: `/v1/admin/held-messages/{message_id}/${what}`,
      ...{ operation_id, summary },
      tag: 'admin texts',
      policy: WHO_DECIDES,
      params: z.object({ message_id: uuid }),
      body: z.object({ reason: line(300) }),
      answers: {
        200: {
          description: 'Decided.',
          json: z.object({ message_id: uuid, decision: z.enum(['released', 'refused']) }),
        },
      },
      problems: ['not_found', 'too_late'],
    },
    async ({ params: { message_id }, body: { reason }, identity, now }) => {
      const actor = adminActor(identity);
      await inTransaction(pool, async (tx) => {
        const decision = { message_id, release: what === 'release', by: `admin ${actor.id}`, reason };
        const verdict = await decideHeldMessage(tx, decision, now);
        if (verdict === 'not_found') throw new Problem('not_found');
        if (verdict === 'not_held') {
          throw new Problem('too_late', 'The text waits for no decision any more: somebody decided, or it has ended.');
        }
        const { rows } = await tx.query<{ account_id: string }>('select account_id from message where id = $1', [
          message_id,
        ]);
        await appendAudit(tx, {
          ...{ at: now, actor, action: `held_message.${what}`, account_id: rows[0]?.account_id ?? null },
          ...{ subject: `message:${message_id}`, detail: { reason } },
        });
      });
      return { status: 200, body: { message_id, decision: state } };
    },
  );
}
