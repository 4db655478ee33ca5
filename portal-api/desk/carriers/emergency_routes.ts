import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import type { PortalContext } from '../../context.ts';
import { country } from '../../http/fields.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { WHO_EDITS, WHO_LOOKS } from '../operations_policy.ts';
import { trunkId } from './carrier_shapes.ts';

const params = z.object({ country });

const shape = z
  .object({
    /** The home country of whoever calls. */
    country: z.string(),
    trunk_id: z.string(),
    carrier: z.string(),
    /** Where the trunk is switched off, callers hear that help cannot be reached. */
    is_usable: z.boolean(),
    version: z.int(),
  })
  .meta({ id: 'EmergencyRoute' });

type EmergencyRoute = z.input<typeof shape>;

/** Over which trunk calls for help go out, by country. Where there is none, callers hear at once that help cannot be reached here. */
export function emergencyRoutes(context: PortalContext): Route[] {
  return [list(context), put(context), drop(context)];
}

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/emergency-routes',
      operation_id: 'admin_list_emergency_routes',
      summary: 'Where calls for help go out, and from which countries of our customers they cannot.',
      tag: 'admin carriers',
      policy: WHO_LOOKS,
      answers: {
        200: {
          description: 'In the order of the countries.',
          json: z.object({
            items: z.array(shape),
            /** Home countries of accounts that are not closed, from which no call for help goes out. */
            unreachable_from: z.array(z.object({ country: z.string(), accounts: z.int() })),
          }),
        },
      },
    },
    async () => ({
      status: 200,
      body: { items: await readRoutes(pool, null), unreachable_from: await unreachableFrom(pool) },
    }),
  );
}

function put({ pool }: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/emergency-routes/{country}',
      operation_id: 'admin_put_emergency_route',
      summary: 'Send the calls for help of a country over this trunk. If-Match "0" where it has none yet.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      params,
      versioned: true,
      body: z.strictObject({ trunk_id: trunkId }),
      answers: { 200: { description: 'For the next call, and its ETag.', json: shape } },
      problems: ['conflict'],
    },
    async ({ params: { country: of }, body: { trunk_id }, version, identity, now }) => {
      const put = await inTransaction(pool, async (tx) => {
        await requireUsable(tx, trunk_id);
        const [before] = await readRoutes(tx, of);
        if (!(await upsertRoute(tx, { country: of, trunk_id, version }))) throw conflict();
        const [after] = await readRoutes(tx, of);
        if (after === undefined) throw new Error('A route for help that was put is gone.');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'emergency_route.put', account_id: null },
          ...{ subject: `emergency_route:${of}`, detail: { before: before?.trunk_id ?? null, after: trunk_id } },
        });
        return after;
      });
      return { status: 200, body: put, version: put.version };
    },
  );
}

function drop({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/admin/emergency-routes/{country}',
      operation_id: 'admin_drop_emergency_route',
      summary: 'Send no more calls for help from a country: callers there hear that help cannot be reached.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      params,
      versioned: true,
      answers: { 204: { description: 'From the next call on.', empty: true } },
    },
    async ({ params: { country: of }, version, identity, now }) => {
      await inTransaction(pool, async (tx) => {
        const known = await tx.query<{ version: number; trunk_id: string }>(
          'select version, trunk_id from emergency_route where country = $1 for no key update',
          [of],
        );
        const [row] = known.rows;
        if (row === undefined) throw new Problem('not_found');
        if (row.version !== version) throw conflict();
        await tx.query('delete from emergency_route where country = $1', [of]);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'emergency_route.drop', account_id: null },
          ...{ subject: `emergency_route:${of}`, detail: { before: row.trunk_id, after: null } },
        });
      });
      return { status: 204 };
    },
  );
}

const conflict = (): Problem => new Problem('version_conflict', 'Somebody else has changed it. Read it again.');

/** It stays switched on until the transaction ends, so that whoever switches it off meanwhile sees the new route. */
async function requireUsable(tx: Transaction, trunk_id: string): Promise<void> {
  const { rows } = await tx.query<{ enabled: boolean }>('select enabled from trunk where id = $1 for share', [
    trunk_id,
  ]);
  const [trunk] = rows;
  if (trunk === undefined)
    throw new Problem('conflict', `There is no trunk ${trunk_id}. Make it first, or name another.`);
  if (!trunk.enabled) {
    throw new Problem('conflict', `${trunk_id} is switched off: no call for help would go out. Switch it on first.`);
  }
}

/** @param one country, or null for all. */
async function readRoutes(db: Queryable, one: string | null): Promise<EmergencyRoute[]> {
  const { rows } = await db.query<EmergencyRoute>(
    `select e.country, e.trunk_id, c.code as carrier, t.enabled as is_usable, e.version
       from emergency_route e join trunk t on t.id = e.trunk_id join carrier c on c.id = t.carrier_id
      where $1::text is null or e.country = $1 order by e.country`,
    [one],
  );
  return rows;
}

async function unreachableFrom(db: Queryable): Promise<{ country: string; accounts: number }[]> {
  const { rows } = await db.query<{ country: string; accounts: number }>(
    `select a.home_country as country, count(*)::integer as accounts
       from account a
      where a.state <> 'closed'
        and not exists (select 1 from emergency_route e join trunk t on t.id = e.trunk_id and t.enabled
                         where e.country = a.home_country)
      group by 1 order by 2 desc, 1`,
  );
  return rows;
}

/** False where it is not at that version; version 0 is that of one that is not there. */
async function upsertRoute(
  tx: Transaction,
  { country: of, trunk_id, version }: { country: string; trunk_id: string; version: number | null },
): Promise<boolean> {
  const { rows } = await tx.query(
    `insert into emergency_route as e (country, trunk_id)
     select $1, $2 where $3 = 0 or exists (select 1 from emergency_route where country = $1)
     on conflict (country) do update set trunk_id = excluded.trunk_id, version = e.version + 1 where e.version = $3
     returning 1`,
    [of, trunk_id, version],
  );
  return rows.length > 0;
}
