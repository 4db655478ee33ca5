import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instant, instantOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { accountOf, adminActor } from '../identity/whose.ts';
import { acdMs, asrPpm, pddMs } from './route_quality.ts';

const WHO_LOOKS = { admin: ['support', 'operations', 'finance', 'owner'] } as const;
const WHO_SETS = { admin: ['operations', 'owner'] } as const;
const DAY_MS = 86_400_000;
const figures = {
  calls: z.int(),
  answered: z.int(),
  /** Answered of those that were sent out. */
  asr_ppm: z.int().nullable(),
  /** Mean length of an answered call. */
  acd_ms: z.int().nullable(),
  /** Mean time until it rings. */
  pdd_ms: z.int().nullable(),
};

export function qualityRoutes(context: PortalContext): Route[] {
  return [readOwn(context), readRoutes(context), setThreshold(context), listAlarms(context)];
}

interface Sums {
  calls: number;
  answered: number;
  talk_ms: number;
  rang: number;
  pdd_ms_total: number;
}

const figuresOf = ({ calls, answered, talk_ms, rang, pdd_ms_total }: Sums) => ({
  ...{ calls, answered, asr_ppm: asrPpm(answered, calls) },
  ...{ acd_ms: acdMs(talk_ms, answered), pdd_ms: pddMs(pdd_ms_total, rang) },
});

function readOwn({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/quality',
      operation_id: 'read_quality',
      summary: 'How good the calls of the account were, by the country that was called.',
      tag: 'activity',
      policy: { customer: EVERY_CUSTOMER, api_key: 'calls:read' },
      query: z.object({ days: z.coerce.number().int().min(1).max(30).default(30) }),
      answers: {
        200: {
          description: 'The most called first; ZZ are numbers of no country. Some minutes old.',
          json: z.object({
            since: instantOut,
            countries: z.array(z.object({ country: z.string(), ...figures })),
          }),
        },
      },
    },
    async ({ identity, query, now }) => {
      const since = new Date(now.getTime() - query.days * DAY_MS);
      const { rows } = await pool.query<Sums & { country: string }>({
        name: 'account_quality',
        text: `select country, sum(calls)::integer as calls, sum(answered)::integer as answered, sum(talk_ms)::float8 as talk_ms,
                      sum(pdd_calls)::integer as rang, sum(pdd_ms_total)::float8 as pdd_ms_total
                 from account_quality_hour where account_id = $1 and hour >= $2 group by country order by 2 desc, 1`,
        values: [accountOf(identity), since],
      });
      const countries = rows.map((row) => ({ country: row.country, ...figuresOf(row) }));
      return { status: 200, body: { since, countries } };
    },
  );
}

const threshold = z.object({
  attempts_min: z.int().min(1).max(1_000_000),
  asr_ppm_min: z.int().min(0).max(1_000_000).nullable(),
  acd_seconds_min: z.int().min(0).max(86_400).nullable(),
  pdd_ms_max: z.int().min(0).max(300_000).nullable(),
});

const routeQuality = z.object({
  trunk_id: z.string(),
  carrier: z.string(),
  is_enabled: z.boolean(),
  ...figures,
  carrier_failures: z.int(),
  threshold: threshold.extend({ version: z.int() }).nullable(),
  open_alarms: z.array(z.enum(['asr', 'acd', 'pdd'])),
});

interface RouteRow extends Sums {
  trunk_id: string;
  carrier: string;
  is_enabled: boolean;
  carrier_failures: number;
  threshold: z.output<typeof threshold> & { version: number };
  open_alarms: ('asr' | 'acd' | 'pdd')[];
}

function readRoutes({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/routes/quality',
      operation_id: 'admin_read_route_quality',
      summary: 'How good each route is, what it may be at least, and where it is not.',
      tag: 'admin quality',
      policy: WHO_LOOKS,
      query: z.object({ hours: z.coerce.number().int().min(1).max(720).default(24) }),
      answers: { 200: { description: 'Every trunk.', json: z.object({ routes: z.array(routeQuality) }) } },
    },
    async ({ query, now }) => {
      const since = new Date(now.getTime() - query.hours * 3_600_000);
      const { rows } = await pool.query<RouteRow>(
        `select t.id as trunk_id, c.code as carrier, t.enabled and c.enabled as is_enabled, coalesce(q.calls, 0) as calls,
                coalesce(q.answered, 0) as answered, coalesce(q.talk_ms, 0) as talk_ms, coalesce(q.rang, 0) as rang,
                coalesce(q.pdd_ms_total, 0) as pdd_ms_total, coalesce(q.carrier_failures, 0) as carrier_failures,
                (select to_jsonb(h) - 'trunk_id' from route_threshold h where h.trunk_id = t.id) as threshold,
                coalesce((select array_agg(a.figure order by a.figure) from route_alarm a where a.trunk_id = t.id and a.ended_at is null), '{}')
                  as open_alarms
           from trunk t join carrier c on c.id = t.carrier_id
           left join (select trunk_id, sum(attempts)::integer as calls, sum(answered)::integer as answered, sum(talk_ms)::float8 as talk_ms,
                             sum(ringing_attempts)::integer as rang, sum(pdd_ms_total)::float8 as pdd_ms_total,
                             sum(carrier_failures)::integer as carrier_failures
                        from route_quality_hour where hour >= $1 group by trunk_id) q on q.trunk_id = t.id
          order by t.id`,
        [since],
      );
      const routes = rows.map((row) => {
        const { trunk_id, carrier, is_enabled, carrier_failures, open_alarms } = row;
        return {
          ...figuresOf(row),
          trunk_id,
          carrier,
          is_enabled,
          carrier_failures,
          open_alarms,
          threshold: row.threshold,
        };
      });
      return { status: 200, body: { routes } };
    },
  );
}

function setThreshold({ pool }: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/routes/{trunk_id}/threshold',
      operation_id: 'admin_set_route_threshold',
      summary: 'What a route has to reach. If-Match "0" where it has no thresholds yet.',
      tag: 'admin quality',
      policy: WHO_SETS,
      params: z.object({ trunk_id: z.string().regex(/^trunk-[a-z0-9-]{1,34}$/u) }),
      versioned: true,
      body: threshold,
      answers: { 200: { description: 'From the next look at the routes on.', json: threshold } },
    },
    async ({ params: { trunk_id }, body, version, identity, now }) => {
      const next = await inTransaction(pool, async (tx) => {
        const trunk = await tx.query('select 1 from trunk where id = $1', [trunk_id]);
        if (trunk.rows.length === 0) throw new Problem('not_found');
        const { rows } = await tx.query<{ version: number }>(
          `insert into route_threshold as h (trunk_id, attempts_min, asr_ppm_min, acd_seconds_min, pdd_ms_max)
           select $1, $2, $3, $4, $5 where $6 = 0 or exists (select 1 from route_threshold where trunk_id = $1)
           on conflict (trunk_id) do update
             set attempts_min = $2, asr_ppm_min = $3, acd_seconds_min = $4, pdd_ms_max = $5, version = h.version + 1
           where h.version = $6 returning version`,
          [trunk_id, body.attempts_min, body.asr_ppm_min, body.acd_seconds_min, body.pdd_ms_max, version],
        );
        const [set] = rows;
        if (set === undefined) throw new Problem('version_conflict', 'Somebody else has set them. Read them again.');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'route_threshold.set', account_id: null },
          ...{ subject: `trunk:${trunk_id}`, detail: body },
        });
        return set.version;
      });
      return { status: 200, body, version: next };
    },
  );
}

const alarm = z.object({
  alarm_id: uuid,
  trunk_id: z.string(),
  figure: z.enum(['asr', 'acd', 'pdd']),
  measured: z.int(),
  allowed: z.int(),
  raised_at: instantOut,
  ended_at: instantOut.nullable(),
});

function listAlarms({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/route-alarms',
      operation_id: 'admin_list_route_alarms',
      summary: 'When a route was worse than it may be.',
      tag: 'admin quality',
      policy: WHO_LOOKS,
      query: pageQuery,
      answers: { 200: { description: 'The newest first.', json: pageOf(alarm) } },
    },
    async ({ query }) => {
      const after = decodeCursor(query.cursor, z.tuple([instant, uuid]));
      const { rows } = await pool.query<z.input<typeof alarm>>(
        `select id as alarm_id, trunk_id, figure, measured, allowed, raised_at, ended_at from route_alarm
          where $1::timestamptz is null or (raised_at, id) < ($1, $2::uuid) order by raised_at desc, id desc limit $3`,
        [...(after ?? [null, null]), query.limit + 1],
      );
      const key = (row: z.input<typeof alarm>) => [row.raised_at.toISOString(), row.alarm_id];
      return { status: 200, body: page(rows, query.limit, { key, item: (row) => row }) };
    },
  );
}
