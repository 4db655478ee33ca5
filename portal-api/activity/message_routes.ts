import { z } from 'zod';
import { MessageIds } from '../../domain/texts/message_id.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, encodeCursor, pageOf, pageQuery } from '../http/cursor.ts';
import { e164, instant, instantText, line, microsOut, prose, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { ProblemName } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { accountOf } from '../identity/whose.ts';
import { listMessages, readMessage, readMessageEvents } from './message_rows.ts';
import type { MessageRow } from './message_rows.ts';
import { sendText } from './send_text.ts';
import type { Sent } from './send_text.ts';

const policy = { customer: EVERY_CUSTOMER, api_key: 'texts' } as const;
/** How far ahead a text may be scheduled. */
const AHEAD_MS_MAX = 30 * 86_400_000;

const direction = z.enum(['mt', 'mo']);
const message = z
  .object({
    message_id: uuid,
    /** mt: to somebody; mo: from somebody. */
    direction,
    sender: z.string(),
    recipient: z.string(),
    /** Null once it was erased. */
    text: z.string().nullable(),
    encoding: z.enum(['gsm7', 'ucs2', 'binary']),
    segments: z.int(),
    net_micros: microsOut,
    tax_micros: microsOut,
    currency: z.string().nullable(),
    destination: z.string().nullable(),
    client_ref: z.string().nullable(),
    accepted_at: instantText,
    due_at: instantText.nullable(),
    state: z.string(),
    /** Since when it is in that state. */
    since: instantText,
    error: z.string().nullable(),
  })
  .meta({ id: 'Message' });

const explainedMessage = message.extend({
  valid_until: instantText.nullable(),
  /** The row of the price list that a segment was priced by. */
  rate_row: z
    .object({
      deck: z.string(),
      version: z.int(),
      prefix: z.string(),
      rate_micros_per_segment: microsOut,
    })
    .nullable(),
  events: z.array(
    z.object({
      at: instantText,
      kind: z.string(),
      part_no: z.int(),
      state: z.string().nullable(),
      error: z.string().nullable(),
    }),
  ),
});

export function messageRoutes(context: PortalContext): Route[] {
  return [list(context), read(context), send(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/messages',
      operation_id: 'list_messages',
      summary: 'Texts, of all or with one number. With a filter a page may be short though there are more.',
      tag: 'activity',
      policy,
      query: pageQuery.extend({ direction: direction.optional(), peer: line(21).optional() }),
      answers: { 200: { description: 'The newest first.', json: pageOf(message) } },
    },
    async ({ identity, query }) => {
      const after = decodeCursor(query.cursor, z.tuple([uuid]));
      const { rows, next } = await listMessages(pool, {
        ...{ account_id: accountOf(identity), direction: query.direction ?? null, peer: query.peer ?? null },
        ...{ after: after?.[0] ?? null, limit: query.limit },
      });
      return { status: 200, body: { items: rows.map(messageOf), next_cursor: next && encodeCursor([next]) } };
    },
  );
}

function read({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/messages/{message_id}',
      operation_id: 'read_message',
      summary: 'One text, how it was priced, and what became of it.',
      tag: 'activity',
      policy,
      params: z.object({ message_id: uuid }),
      answers: { 200: { description: 'The text.', json: explainedMessage } },
    },
    async ({ identity, params: { message_id } }) => {
      const row = await readMessage(pool, accountOf(identity), message_id);
      if (row === null) throw new Problem('not_found');
      const { deck, deck_version, prefix, rate_micros_per_segment, valid_until } = row;
      const is_priced = deck !== null && deck_version !== null && prefix !== null && rate_micros_per_segment !== null;
      const rate_row = is_priced
        ? { deck, version: deck_version, prefix, rate_micros_per_segment: BigInt(rate_micros_per_segment) }
        : null;
      const events = await readMessageEvents(pool, message_id);
      return { status: 200, body: { ...messageOf(row), valid_until, rate_row, events } };
    },
  );
}

const sent = z.object({
  message_id: uuid,
  encoding: z.enum(['gsm7', 'ucs2']),
  segments: z.int(),
  net_micros: microsOut,
  tax_micros: microsOut,
  currency: z.string(),
});

function send({ pool, now: clock }: PortalContext): Route {
  const ids = new MessageIds(() => clock().getTime());
  return route(
    {
      method: 'post',
      path: '/v1/messages',
      operation_id: 'send_message',
      summary: 'Send a text from a number or under a name of the account.',
      tag: 'activity',
      policy,
      idempotent: true,
      body: z.object({
        sender: line(21),
        recipient: e164,
        text: prose(1600),
        /** Not before then. */
        due_at: instant.nullable().default(null),
        client_ref: line(100).nullable().default(null),
      }),
      answers: { 202: { description: 'Charged, and on its way.', json: sent } },
      problems: ['no_money', 'restricted', 'terms_required', 'conflict', 'not_available', 'key_conflict'],
    },
    async ({ identity, body, operation_id, now }) => {
      const { sender, recipient, text, client_ref } = body;
      const due_at = body.due_at === null ? null : new Date(body.due_at);
      if (due_at !== null && (due_at <= now || due_at.getTime() > now.getTime() + AHEAD_MS_MAX)) {
        throw new Problem('invalid', 'due_at lies ahead, and at most 30 days.');
      }
      const wish = { account_id: accountOf(identity), sender, recipient, text, due_at, client_ref, now };
      const done = await sendText(pool, { ...wish, id: ids.next(), key: operation_id });
      if (done.kind === 'refused') throw new Problem(...refusals[done.why]);
      const { message_id, encoding, segments, net_micros, tax_micros, currency } = done;
      return { status: 202, body: { message_id, encoding, segments, net_micros, tax_micros, currency } };
    },
  );
}

/** What each refusal means and what to do. */
const refusals: Readonly<Record<Extract<Sent, { kind: 'refused' }>['why'], readonly [ProblemName, string]>> = {
  too_long: ['invalid', 'The text has more than 10 segments. Shorten it.'],
  terms_required: ['terms_required', 'Read what is new at /v1/legal and agree to it at /v1/legal/acceptances.'],
  no_wallet: ['conflict', 'The account has no wallet.'],
  no_money: ['no_money', 'Top the wallet up.'],
  spend_hour: ['conflict', 'The limit on spending for an hour is reached. Wait, or ask us to raise it.'],
  spend_day: ['conflict', 'The limit on spending for a day is reached. Wait, or ask us to raise it.'],
  account_inactive: ['restricted', 'The account is not active.'],
  restricted: ['restricted', 'See /v1/restrictions for the reason, and how to appeal.'],
  sender_not_yours: ['invalid', 'The sender is no active number and no approved name of the account.'],
  opted_out: ['conflict', 'The recipient said STOP to this sender.'],
  key_conflict: ['key_conflict', 'Use another key for another text.'],
  destination_blocked: ['conflict', 'The account may not send there. Ask us to allow it.'],
  destination_unknown: ['not_available', 'We do not sell texts to this number.'],
};

function messageOf(row: MessageRow): z.input<typeof message> {
  return {
    ...{ message_id: row.id, direction: row.direction, sender: row.sender, recipient: row.recipient, text: row.body },
    ...{ encoding: row.encoding, segments: row.segments, currency: row.currency, destination: row.destination },
    ...{ net_micros: BigInt(row.net_micros), tax_micros: BigInt(row.tax_micros), client_ref: row.client_ref },
    ...{ accepted_at: row.accepted_at, due_at: row.due_at, state: row.state, since: row.since, error: row.error },
  };
}
