import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { adminActor } from '../identity/whose.ts';

const WHO_LOOKS = { admin: ['support', 'finance', 'operations', 'owner'] } as const;
const WHO_EDITS = { admin: ['operations', 'owner'] } as const;

const trunk = z
  .object({
    trunk_id: z.string(),
    host: z.string(),
    port: z.int(),
    transport: z.string(),
    /** The secret itself is written and never told. */
    has_secret: z.boolean(),
    max_channels: z.int(),
    enabled: z.boolean(),
    version: z.int(),
  })
  .meta({ id: 'Trunk' });

const bind = z
  .object({
    bind_id: z.string(),
    host: z.string(),
    port: z.int(),
    tls: z.boolean(),
    kind: z.string(),
    window_max: z.int(),
    texts_per_second_max: z.int(),
    enabled: z.boolean(),
    version: z.int(),
  })
  .meta({ id: 'CarrierBind' });

const carrier = z
  .object({
    carrier_id: z.int(),
    code: z.string(),
    name: z.string(),
    currency: z.string(),
    enabled: z.boolean(),
    version: z.int(),
    trunks: z.array(trunk),
    binds: z.array(bind),
  })
  .meta({ id: 'Carrier' });

export function carrierRoutes(context: PortalContext): Route[] {
  return [list(context), editCarrier(context), editTrunk(context), editBind(context)];
}

const trunkJson = `jsonb_build_object('trunk_id', t.id, 'host', t.host, 'port', t.port, 'transport', t.transport,
  'has_secret', t.auth_username is not null, 'max_channels', t.max_channels, 'enabled', t.enabled, 'version', t.version)`;
const bindJson = `jsonb_build_object('bind_id', b.id, 'host', b.host, 'port', b.port, 'tls', b.tls, 'kind', b.kind,
  'window_max', b.window_max, 'texts_per_second_max', b.texts_per_second_max, 'enabled', b.enabled, 'version', b.version)`;

const carrierQuery = `
  select c.id as carrier_id, c.code, c.name, c.currency, c.enabled, c.version,
         coalesce((select jsonb_agg(${trunkJson} order by t.id) from trunk t where t.carrier_id = c.id), '[]') as trunks,
         coalesce((select jsonb_agg(${bindJson} order by b.id) from carrier_bind b where b.carrier_id = c.id), '[]') as binds
    from carrier c`;

function list({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/carriers',
      operation_id: 'admin_list_carriers',
      summary: 'Carriers, with how each is reached for calls and for texts.',
      tag: 'admin carriers',
      policy: WHO_LOOKS,
      answers: { 200: { description: 'All of them.', json: z.object({ items: z.array(carrier) }) } },
    },
    async () => {
      const { rows } = await pool.query<z.input<typeof carrier>>(`${carrierQuery} order by c.code limit 1000`);
      return { status: 200, body: { items: rows } };
    },
  );
}

/** A part of a row, by names that stand in the text of the statement; what is left out stays. */
interface Edit {
  table: 'carrier' | 'trunk' | 'carrier_bind';
  id: string | number;
  version: number | null;
  columns: Readonly<Record<string, unknown>>;
}

/** Changes the columns where the version is the one that was seen, and logs which they were: not what they are, as some are secret. */
async function edit(
  { pool }: PortalContext,
  { table, id, version, columns }: Edit,
  { identity, now }: { identity: Parameters<typeof adminActor>[0]; now: Date },
): Promise<number> {
  const given = Object.entries(columns).filter(([, value]) => value !== undefined);
  if (given.length === 0) throw new Problem('invalid', 'Say at least one thing that is to change.');
  const set = given.map(([column], at) => `${column} = $${at + 3}`).join(', ');
  return inTransaction(pool, async (tx) => {
    const known = await tx.query<{ version: number }>(`select version from ${table} where id = $1 for no key update`, [
      id,
    ]);
    if (known.rows[0] === undefined) throw new Problem('not_found');
    if (known.rows[0].version !== version) {
      throw new Problem('version_conflict', 'Somebody else has changed it. Read it again.');
    }
    const { rows } = await tx.query<{ version: number }>(
      `update ${table} set ${set}, version = version + 1 where id = $1 and version = $2 returning version`,
      [id, version, ...given.map(([, value]) => value)],
    );
    const { enabled } = columns;
    await appendAudit(tx, {
      ...{ at: now, actor: adminActor(identity), action: `${table}.edit`, account_id: null, subject: `${table}:${id}` },
      detail: { changed: given.map(([column]) => column), ...(enabled === undefined ? {} : { enabled }) },
    });
    return rows[0]?.version ?? 0;
  });
}

const edited = z.object({ version: z.int() });
const answers = { 200: { description: 'Heard by what runs, at once.', json: edited } } as const;

function editCarrier(context: PortalContext): Route {
  return route(
    {
      method: 'patch',
      path: '/v1/admin/carriers/{carrier_id}',
      operation_id: 'admin_edit_carrier',
      summary: 'Use a carrier, or do not.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      params: z.object({ carrier_id: z.coerce.number().int().min(1).max(2_147_483_647) }),
      versioned: true,
      body: z.object({ enabled: z.boolean() }),
      answers,
    },
    async (asked) => {
      const { params, body, version } = asked;
      const next = await edit(context, { table: 'carrier', id: params.carrier_id, version, columns: body }, asked);
      return { status: 200, body: { version: next }, version: next };
    },
  );
}

function editTrunk(context: PortalContext): Route {
  return route(
    {
      method: 'patch',
      path: '/v1/admin/trunks/{trunk_id}',
      operation_id: 'admin_edit_trunk',
      summary: 'Use a trunk, bound its channels, or change its secret.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      params: z.object({ trunk_id: z.string().regex(/^trunk-[a-z0-9-]{1,34}$/u) }),
      versioned: true,
      body: z.object({
        enabled: z.boolean().optional(),
        max_channels: z.int().min(1).max(100_000).optional(),
        /** Both or none; null: the carrier does not ask for them. */
        credentials: z
          .object({
            username: z.string().regex(/^[\x21-\x7e]{1,100}$/u),
            secret: z.string().regex(/^[\x21-\x7e]{1,200}$/u),
          })
          .nullable()
          .optional(),
      }),
      answers,
    },
    async (asked) => {
      const { params, body, version } = asked;
      const { credentials, ...columns } = body;
      const secret =
        credentials === undefined
          ? {}
          : { auth_username: credentials?.username ?? null, auth_secret: credentials?.secret ?? null };
      const change = { table: 'trunk', id: params.trunk_id, version, columns: { ...columns, ...secret } } as const;
      const next = await edit(context, change, asked);
      return { status: 200, body: { version: next }, version: next };
    },
  );
}

function editBind(context: PortalContext): Route {
  return route(
    {
      method: 'patch',
      path: '/v1/admin/carrier-binds/{bind_id}',
      operation_id: 'admin_edit_carrier_bind',
      summary: 'Use a bind, bound it, or change its password.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      params: z.object({ bind_id: z.string().regex(/^[a-z0-9][a-z0-9-]{0,39}$/u) }),
      versioned: true,
      body: z.object({
        enabled: z.boolean().optional(),
        window_max: z.int().min(1).max(2_000).optional(),
        texts_per_second_max: z.int().min(1).max(100_000).optional(),
        password: z
          .string()
          .regex(/^[\x21-\x7e]{0,8}$/u)
          .optional(),
      }),
      answers,
    },
    async (asked) => {
      const { params, body, version } = asked;
      const next = await edit(context, { table: 'carrier_bind', id: params.bind_id, version, columns: body }, asked);
      return { status: 200, body: { version: next }, version: next };
    },
  );
}
