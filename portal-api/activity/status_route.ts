import { z } from 'zod';
import type { PortalContext } from '../context.ts';
import { instantOut } from '../http/fields.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';

const state = z.enum(['up', 'degraded', 'down']);
const status = z.object({
  as_of: instantOut,
  components: z.array(z.object({ component: z.enum(['portal', 'calls', 'texts']), state })),
});

/** Anybody may ask as often as they like; the database is asked this often at most. */
const FRESH_MS = 5_000;
/** A text that waits longer than this for a carrier is late. */
const LATE_MS = 5 * 60_000;

interface Facts {
  trunks: number;
  alarmed_trunks: number;
  binds: number;
  has_late_texts: boolean;
}

/** How the service is, without anything about anybody. */
export function statusRoute({ pool }: PortalContext): Route {
  let known: { as_of: Date; components: z.input<typeof status>['components'] } | null = null;
  return route(
    {
      method: 'get',
      path: '/v1/status',
      operation_id: 'read_status',
      summary: 'Whether calls, texts and the portal work.',
      tag: 'status',
      policy: { anyone: true },
      answers: { 200: { description: 'As of some seconds ago at most.', json: status } },
    },
    async ({ now }) => {
      if (known === null || Math.abs(now.getTime() - known.as_of.getTime()) > FRESH_MS) {
        known = { as_of: now, components: componentsOf(await readFacts(pool, now)) };
      }
      return { status: 200, body: known };
    },
  );
}

function componentsOf({ trunks, alarmed_trunks, binds, has_late_texts }: Facts): z.input<typeof status>['components'] {
  return [
    { component: 'portal', state: 'up' },
    { component: 'calls', state: trunks === 0 ? 'down' : alarmed_trunks > 0 ? 'degraded' : 'up' },
    { component: 'texts', state: binds === 0 ? 'down' : has_late_texts ? 'degraded' : 'up' },
  ];
}

async function readFacts(pool: PortalContext['pool'], now: Date): Promise<Facts> {
  const { rows } = await pool.query<Facts>({
    name: 'status_facts',
    text: `select (select count(*)::integer from trunk t join carrier c on c.id = t.carrier_id where t.enabled and c.enabled) as trunks,
                  (select count(distinct a.trunk_id)::integer from route_alarm a join trunk t on t.id = a.trunk_id
                    where a.ended_at is null and t.enabled) as alarmed_trunks,
                  (select count(*)::integer from carrier_bind b join carrier c on c.id = b.carrier_id where b.enabled and c.enabled) as binds,
                  exists (select 1 from message_queue where state in ('u', 'w') and due_at < $1) as has_late_texts`,
    values: [new Date(now.getTime() - LATE_MS)],
  });
  return rows[0] ?? { trunks: 0, alarmed_trunks: 0, binds: 0, has_late_texts: false };
}
