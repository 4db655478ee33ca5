import { z } from 'zod';
import { timeQuery, viewOnRecord, viewQuery } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { maskPhone } from '../desk/masking.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { e164, instantOut, line, uuid } from '../http/fields.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { accountOf } from '../identity/whose.ts';
import { keyOf, searchOptOuts } from './opt_out_rows.ts';
import type { OptOut } from './opt_out_rows.ts';

export function optOutRoutes(context: PortalContext): Route[] {
  return [listOwn(context), listAll(context)];
}

/** As text: whatever is not in it was never in a list. */
const cursorKey = z.tuple([z.string().regex(/^\d{1,17}$/u), uuid, line(40), line(40)]);

const shape = z
  .object({
    /** Who said STOP. */
    recipient: z.string(),
    /** To which of your numbers or names; null: to all of them. */
    sender: z.string().nullable(),
    opted_out_at: instantOut,
    /** The text that said so; null where it was said by another way. */
    message_id: uuid.nullable(),
  })
  .meta({ id: 'OptOut' });

const senderOf = (sender: string): string | null => (sender === '*' ? null : sender);

function listOwn({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/opt-outs',
      operation_id: 'list_opt_outs',
      summary: 'Who said STOP to your numbers: texts to them are refused until they say START.',
      tag: 'activity',
      policy: { customer: EVERY_CUSTOMER, api_key: 'texts' },
      query: pageQuery.extend({ sender: line(21).optional(), recipient: e164.optional(), ...timeQuery }),
      answers: { 200: { description: 'The newest first.', json: pageOf(shape) } },
    },
    async ({ identity, query }) => {
      const { sender = null, recipient = null, from = null, to = null } = query;
      const search = { account_id: accountOf(identity), sender, recipient, from, to };
      const rows = await searchOptOuts(pool, search, decodeCursor(query.cursor, cursorKey), query.limit + 1);
      const item = (row: OptOut): z.input<typeof shape> => ({
        ...{ recipient: row.recipient, sender: senderOf(row.sender), opted_out_at: row.opted_out_at },
        message_id: row.message_id,
      });
      return { status: 200, body: page(rows, query.limit, { key: keyOf, item }) };
    },
  );
}

const deskShape = shape
  .omit({ recipient: true })
  .extend({ account_id: uuid, recipient_masked: z.string() })
  .meta({ id: 'OptOutAtTheDesk' });

function listAll({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/opt-outs',
      operation_id: 'admin_list_opt_outs',
      summary: 'Who said STOP to whom, of all accounts or of one, masked. That you saw it is on record.',
      tag: 'admin texts',
      policy: { admin: ['support', 'operations', 'owner'] },
      query: viewQuery.extend({ sender: line(21).optional(), ...timeQuery }),
      answers: { 200: { description: 'The newest first.', json: pageOf(deskShape) } },
    },
    async ({ query, identity, now }) => {
      const { account_id = null, sender = null, from = null, to = null, purpose } = query;
      const search = { account_id, sender, recipient: null, from, to };
      const after = decodeCursor(query.cursor, cursorKey);
      const view = { action: 'opt_outs.view', account_id, subject: 'opt_outs', purpose };
      const rows = await viewOnRecord(pool, { identity, now }, view, (tx) =>
        searchOptOuts(tx, search, after, query.limit + 1),
      );
      const item = (row: OptOut): z.input<typeof deskShape> => ({
        ...{ account_id: row.account_id, recipient_masked: maskPhone(row.recipient), sender: senderOf(row.sender) },
        ...{ opted_out_at: row.opted_out_at, message_id: row.message_id },
      });
      return { status: 200, body: page(rows, query.limit, { key: keyOf, item }) };
    },
  );
}
