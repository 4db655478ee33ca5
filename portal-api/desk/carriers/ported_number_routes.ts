import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { PortalContext } from '../../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../../http/cursor.ts';
import { e164, instantOut } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { WHO_EDITS, WHO_LOOKS } from '../operations_policy.ts';

const NUMBERS_MAX = 1_000;

const shape = z
  .object({
    number: z.string(),
    /** What routing goes by instead: a number that begins as those of its network do. */
    routing_number: z.string(),
    ported_at: instantOut,
  })
  .meta({ id: 'PortedNumber' });

type Ported = z.input<typeof shape>;

/** Where numbers went that kept their digits when they changed their network: routing must not judge by those. */
export function portedNumberRoutes(context: PortalContext): Route[] {
  return [list(context), put(context), drop(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/ported-numbers',
      operation_id: 'admin_list_ported_numbers',
      summary: 'Numbers that changed their network, by how they begin.',
      tag: 'admin carriers',
      policy: WHO_LOOKS,
      query: pageQuery.extend({
        prefix: z
          .string()
          .regex(/^\+[0-9]{0,15}$/u)
          .optional(),
      }),
      answers: { 200: { description: 'In the order of their digits.', json: pageOf(shape) } },
    },
    async ({ query: { cursor, limit, prefix = '+' } }) => {
      const after = decodeCursor(cursor, z.tuple([z.string().max(20)]))?.[0] ?? '';
      // By its digits and no pattern, so that the key's own order finds it.
      const { rows } = await pool.query<Ported>(
        `select number, routing_number, ported_at from ported_number
          where number >= $1 and number < $1 || ':' and number > $2 order by number limit $3`,
        [prefix, after, limit + 1],
      );
      return { status: 200, body: page(rows, limit, { key: ({ number }) => [number], item: (row) => row }) };
    },
  );
}

function put({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/ported-numbers',
      operation_id: 'admin_put_ported_numbers',
      summary: 'Say where numbers went, some or a thousand at a time: all of them, or none. Known ones are said anew.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      idempotent: true,
      body: z.strictObject({
        items: z
          .array(z.strictObject({ number: e164, routing_number: e164 }))
          .min(1)
          .max(NUMBERS_MAX)
          .refine((all) => new Set(all.map(({ number }) => number)).size === all.length, 'has a number twice'),
      }),
      answers: {
        201: { description: 'Heard by the gateway, at once.', json: z.object({ numbers: z.int() }) },
      },
    },
    async ({ body: { items }, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        await tx.query(
          `insert into ported_number (number, routing_number, ported_at)
           select number, routing_number, $3 from unnest($1::text[], $2::text[]) as n (number, routing_number) order by number
           on conflict (number) do update set routing_number = excluded.routing_number, ported_at = excluded.ported_at`,
          [items.map(({ number }) => number), items.map(({ routing_number }) => routing_number), now],
        );
        // The numbers are somebody's, and stay out of the log.
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'ported_number.put', account_id: null },
          ...{ subject: 'ported_number', detail: { numbers: items.length } },
        });
      });
      return { status: 201, body: { numbers: items.length } };
    },
  );
}

function drop({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/admin/ported-numbers/{number}',
      operation_id: 'admin_drop_ported_number',
      summary: 'A number is back where its digits say.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      params: z.object({ number: e164 }),
      answers: { 204: { description: 'Heard by the gateway, at once.', empty: true } },
    },
    async ({ params: { number }, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        const { rows } = await tx.query('delete from ported_number where number = $1 returning 1', [number]);
        if (rows.length === 0) throw new Problem('not_found');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'ported_number.drop', account_id: null },
          ...{ subject: 'ported_number', detail: { numbers: 1 } },
        });
      });
      return { status: 204 };
    },
  );
}
