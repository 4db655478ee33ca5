import { z } from 'zod';
import { leaseName } from '../../domain/lease/lease_keeper.ts';
import type { LeasedService } from '../../domain/lease/lease_keeper.ts';
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
  /** Whether there is a controller that reaches its switch, and a gateway that reaches a carrier: who does holds a lease, and says so. */
  has_switch: boolean;
  has_carrier: boolean;
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

function componentsOf(facts: Facts): z.input<typeof status>['components'] {
  const has_calls = facts.trunks > 0 && facts.has_switch;
  const has_texts = facts.binds > 0 && facts.has_carrier;
  return [
    // Where it is not, nobody is answered.
    { component: 'portal', state: 'up' },
    { component: 'calls', state: !has_calls ? 'down' : facts.alarmed_trunks > 0 ? 'degraded' : 'up' },
    { component: 'texts', state: !has_texts ? 'down' : facts.has_late_texts ? 'degraded' : 'up' },
  ];
}

/** Whether somebody holds such a lease and can do what it is for. A frozen process loses it within seconds. */
const works = (service: LeasedService): string =>
  `exists (select 1 from pg_locks k join pg_stat_activity a on a.pid = k.pid
            where k.locktype = 'advisory' and k.granted and k.classid::bigint = hashtext('switch_owner')::bigint & 4294967295
              and a.datname = current_database() and a.application_name = '${leaseName(service, true)}')`;

async function readFacts(pool: PortalContext['pool'], now: Date): Promise<Facts> {
  const { rows } = await pool.query<Facts>({
    name: 'status_facts',
    text: `select (select count(*)::integer from trunk t join carrier c on c.id = t.carrier_id where t.enabled and c.enabled) as trunks,
                  (select count(distinct a.trunk_id)::integer from route_alarm a join trunk t on t.id = a.trunk_id
                    where a.ended_at is null and t.enabled) as alarmed_trunks,
                  (select count(*)::integer from carrier_bind b join carrier c on c.id = b.carrier_id where b.enabled and c.enabled) as binds,
                  ${works('controller')} as has_switch, ${works('gateway')} as has_carrier,
                  exists (select 1 from message_queue where state in ('u', 'w') and due_at < $1) as has_late_texts`,
    values: [new Date(now.getTime() - LATE_MS)],
  });
  const [facts] = rows;
  if (facts === undefined) throw new Error('The facts of the status came without a row.');
  return facts;
}
