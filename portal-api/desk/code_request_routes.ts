import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { checkRange, dayRange, RANGE_DAYS_MAX } from './sign_up_routes.ts';
import { DAY_MS } from './sign_up_funnel.ts';

const count = z.int().min(0);

const group = z.object({
  /** The calling code and up to three digits; or a network. Null: it is not known. */
  group: z.string().nullable(),
  asked: count,
  sent: count,
  refused_too_many: count,
  refused_number: count,
  /** Of those sent, how many came back. Much is sent and little comes back where somebody earns by the texts. */
  used: count,
  used_ppm: z.int().nullable(),
  /** Whether no codes go there any more. Null of networks. */
  is_blocked: z.boolean().nullable(),
});

const by = z.enum(['prefix', 'network']);

/** Who has codes sent where, and what comes of it: beginnings of numbers and networks, nobody’s own. */
export function codeRequestRoutes({ pool }: PortalContext): Route[] {
  return [
    route(
      {
        method: 'get',
        path: '/v1/admin/code-requests',
        operation_id: 'admin_read_code_requests',
        summary: 'Codes that were asked for, by the beginning of their number or by the network of whoever asked.',
        tag: 'admin codes',
        policy: { admin: ['support', 'operations', 'owner'] },
        query: dayRange.extend({ by, limit: z.coerce.number().int().min(1).max(200).default(50) }),
        answers: {
          200: { description: 'Those who ask the most come first.', json: z.object({ items: z.array(group) }) },
        },
      },
      async ({ query }) => {
        checkRange(query);
        const rows = await selectGroups(pool, query);
        const items = rows.map((row) => ({
          ...row,
          used_ppm: row.sent === 0 ? null : Math.round((row.used * 1_000_000) / row.sent),
        }));
        return { status: 200, body: { items } };
      },
    ),
  ];
}

type Group = Omit<z.input<typeof group>, 'used_ppm'>;

async function selectGroups(
  db: Queryable,
  range: { from: string; to: string; by: z.output<typeof by>; limit: number },
): Promise<Group[]> {
  const is_prefix = range.by === 'prefix';
  const { rows } = await db.query<Group>(
    `select g.*, ${is_prefix ? 'exists (select 1 from blocked_phone_prefix b where starts_with(g."group", b.prefix))' : 'null::boolean'} as is_blocked
       from (select ${is_prefix ? 'prefix' : 'network::text'} as "group", count(*)::integer as asked,
                    count(*) filter (where outcome = 'sent')::integer as sent,
                    count(*) filter (where outcome = 'too_many')::integer as refused_too_many,
                    count(*) filter (where outcome = 'number_refused')::integer as refused_number,
                    count(used_at)::integer as used
               from code_request
              where at >= $1::date and at < $2::date + 1 ${is_prefix ? `and channel = 'phone'` : ''}
              group by 1 order by count(*) desc, 1 limit $3) g
      order by g.asked desc, g."group"`,
    [range.from, range.to, range.limit],
  );
  return rows;
}

/** Each night: what is older than a range may be shows nobody anything. */
export function forgetCodeRequests({ pool, now }: PortalContext): Task {
  return task(
    'forget_code_requests',
    z.object({}),
    async () => {
      await pool.query('delete from code_request where at < $1', [new Date(now().getTime() - RANGE_DAYS_MAX * DAY_MS)]);
    },
    '41 3 * * *',
  );
}
