import { z } from 'zod';
import { timeQuery, viewOnRecord, viewQuery } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { maskPhone } from '../desk/masking.ts';
import { decodeCursor, page, pageOf } from '../http/cursor.ts';
import { e164, instantOut, uuid } from '../http/fields.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { decideUnheldRoutes } from './decide_unheld_routes.ts';
import { revealUnheldRoutes } from './reveal_unheld_routes.ts';
import { searchUnheldTexts } from './unheld_text_rows.ts';
import type { UnheldText } from './unheld_text_rows.ts';

/** Texts that came for a number of ours that nobody held: kept for the operator, and told to nobody until one of us decides. */
export function unheldTextRoutes(context: PortalContext): Route[] {
  return [list(context), ...revealUnheldRoutes(context), ...decideUnheldRoutes(context)];
}

const shape = z
  .object({
    message_id: uuid,
    arrived_at: instantOut,
    sender_masked: z.string(),
    /** One of ours. */
    number: z.string(),
    carrier: z.string().nullable(),
    segments: z.int(),
    keyword: z.enum(['stop', 'start', 'help']).nullable(),
    /** Its words are gone: they are kept for some days. */
    is_erased: z.boolean(),
    state: z.enum(['waiting', 'handed_on', 'dealt_with']),
    /** Who has the number now; null: nobody. A text is handed on to whose number is active. */
    holder: z.object({ account_id: uuid, number_state: z.string() }).nullable(),
    /** Whether it was the holder’s when the text came, as a suspended number is. Else a reason is needed to hand it on. */
    arrived_while_held: z.boolean(),
    decision: z
      .object({
        /** The account that it was given to, and as which of its texts. */
        account_id: uuid.nullable(),
        given_as_message_id: uuid.nullable(),
        reason: z.string().nullable(),
        decided_by: uuid,
        decided_at: instantOut,
      })
      .nullable(),
  })
  .meta({ id: 'UnheldText' });

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/unheld-messages',
      operation_id: 'admin_list_unheld_messages',
      summary: 'Texts that came for a number that nobody held: those that wait for a decision by default.',
      tag: 'admin texts',
      policy: { admin: ['operations', 'owner'] },
      query: viewQuery.omit({ account_id: true }).extend({
        state: z.enum([...shape.shape.state.options, 'all']).default('waiting'),
        number: e164.optional(),
        ...timeQuery,
      }),
      answers: { 200: { description: 'The newest first.', json: pageOf(shape) } },
    },
    async ({ query: { state, number = null, from = null, to = null, purpose, ...paging }, identity, now }) => {
      const before = decodeCursor(paging.cursor, z.tuple([uuid]))?.[0] ?? null;
      const view = { action: 'unheld_messages.view', account_id: null, subject: 'unheld_messages', purpose };
      const search = { state: state === 'all' ? null : state, number, from, to };
      const rows = await viewOnRecord(pool, { identity, now }, view, (tx) =>
        searchUnheldTexts(tx, search, before, paging.limit + 1),
      );
      return { status: 200, body: page(rows, paging.limit, { key: ({ message_id }) => [message_id], item: shown }) };
    },
  );
}

function shown(row: UnheldText): z.input<typeof shape> {
  const { message_id, arrived_at, sender, number, carrier, segments, is_erased, state, arrived_while_held } = row;
  const { holder_account_id, number_state, given_to_account_id, given_as_message_id, reason } = row;
  const { decided_by, decided_at } = row;
  const holder =
    holder_account_id === null || number_state === null ? null : { account_id: holder_account_id, number_state };
  const decision =
    decided_by === null || decided_at === null
      ? null
      : { account_id: given_to_account_id, given_as_message_id, reason, decided_by, decided_at };
  return {
    ...{ message_id, arrived_at, sender_masked: maskSender(sender), number, carrier, segments },
    ...{
      keyword: row.keyword as z.input<typeof shape>['keyword'],
      is_erased,
      state,
      holder,
      arrived_while_held,
      decision,
    },
  };
}

/** A name or a short code is a business's; anything longer is somebody's number, with a plus or without. */
const maskSender = (sender: string): string => (/^\+?\d{6,}$/u.test(sender) ? maskPhone(sender) : sender);
