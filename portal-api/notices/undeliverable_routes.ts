import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import { KeyDestroyed } from '../../domain/privacy/data_keys.ts';
import { unseal } from '../../domain/privacy/sealing.ts';
import { viewOnRecord } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { maskEmail } from '../desk/masking.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instant, instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor } from '../identity/whose.ts';
import { BOUNCE_CLASSES } from './bounce_class.ts';
import { clearUndeliverable, listUndeliverable } from './bounce_rows.ts';
import type { UndeliverableRow } from './bounce_rows.ts';

const WHO_LOOKS = ['support', 'operations', 'owner'] as const;

/** The desk: from where mail comes back, and that it may be tried again. */
export function undeliverableRoutes(context: PortalContext): Route[] {
  return [listAddresses(context), clearAddress(context)];
}

const undeliverable = z.object({
  undeliverable_id: uuid,
  /** Null where nobody with an account has that address. */
  user_id: uuid.nullable(),
  email_masked: z.string().nullable(),
  class: z.enum(BOUNCE_CLASSES),
  smtp_code: z.int().nullable(),
  /** The enhanced code (RFC 3463). */
  status: z.string().nullable(),
  since: instantOut,
  last_at: instantOut,
  bounces: z.int(),
  /** Notices that were not sent therefore. */
  held_back: z.int(),
});

function listAddresses(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/undeliverable-addresses',
      operation_id: 'admin_list_undeliverable_addresses',
      summary: 'From which addresses mail comes back. That you saw it is on record.',
      tag: 'admin mail',
      policy: { admin: WHO_LOOKS },
      query: pageQuery.extend({ purpose: line(500) }),
      answers: { 200: { description: 'Where it came back last comes first.', json: pageOf(undeliverable) } },
    },
    async ({ query, identity, now }) => {
      const before = decodeCursor(query.cursor, z.tuple([instant, uuid]));
      const subject = 'undeliverable_addresses';
      const view = { action: `${subject}.view`, account_id: null, subject, purpose: query.purpose };
      const rows = await viewOnRecord(context.pool, { identity, now }, view, (tx) =>
        listUndeliverable(tx, before, query.limit + 1),
      );
      const items = await Promise.all(rows.map((row) => toldOf(context, row)));
      const key = (item: (typeof items)[number]) => [item.last_at.toISOString(), item.undeliverable_id];
      return { status: 200, body: page(items, query.limit, { key, item: (one) => one }) };
    },
  );
}

async function toldOf(
  { pool, keys }: PortalContext,
  { id: undeliverable_id, email_sealed, data_key_id, user_id, ...row }: UndeliverableRow,
): Promise<
  Omit<UndeliverableRow, 'id' | 'email_sealed' | 'data_key_id'> & {
    undeliverable_id: string;
    email_masked: string | null;
  }
> {
  if (user_id === null || email_sealed === null || data_key_id === null) {
    return { undeliverable_id, user_id: null, email_masked: null, ...row };
  }
  try {
    const key = await keys.open(pool, data_key_id);
    const email = unseal(key, `portal_user.email:${user_id}`, email_sealed).toString();
    return { undeliverable_id, user_id, email_masked: maskEmail(email), ...row };
  } catch (error) {
    if (error instanceof KeyDestroyed) return { undeliverable_id, user_id, email_masked: null, ...row };
    throw error;
  }
}

function clearAddress({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/admin/undeliverable-addresses/{undeliverable_id}',
      operation_id: 'admin_clear_undeliverable_address',
      summary: 'Mail notices there again.',
      tag: 'admin mail',
      policy: { admin: WHO_LOOKS },
      params: z.object({ undeliverable_id: uuid }),
      answers: { 204: { description: 'They are mailed again, until one comes back.', empty: true } },
    },
    async ({ params: { undeliverable_id }, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        const cleared = await clearUndeliverable(tx, undeliverable_id);
        if (cleared === undefined) throw new Problem('not_found');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'undeliverable_address.clear', account_id: null },
          ...{ subject: `undeliverable_address:${undeliverable_id}`, detail: cleared },
        });
      });
      return { status: 204 };
    },
  );
}
