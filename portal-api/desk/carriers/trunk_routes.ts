import { z } from 'zod';
import { appendAudit } from '../../../domain/audit/append_audit.ts';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Transaction } from '../../../domain/db/transaction.ts';
import type { PortalContext } from '../../context.ts';
import { Problem } from '../../http/problem.ts';
import { route } from '../../http/route.ts';
import type { Route } from '../../http/route.ts';
import { adminActor } from '../../identity/whose.ts';
import { WHO_EDITS, WHO_LOOKS } from '../operations_policy.ts';
import { changedNames, insertRow, lockRowAt, toldOf, updateRow } from '../stored_row.ts';
import type { Columns } from '../stored_row.ts';
import { isCarrier, networkInTheWay, readTrunk, setNetworks } from './carrier_rows.ts';
import { carrierParams, trunkId, trunkShape } from './carrier_shapes.ts';
import type { TrunkTold } from './carrier_shapes.ts';
import { host, network, port } from './peer_address.ts';

const SIP_PORT = 5060;
const SIPS_PORT = 5061;

const params = z.object({ trunk_id: trunkId });

const printable = (length_max: number) => z.string().regex(new RegExp(`^[\\x21-\\x7e]{1,${length_max}}$`, 'u'));

const optional = {
  port,
  transport: z.enum(['udp', 'tcp', 'tls']),
  from_domain: host.nullable(),
  /** Both or none; null: the carrier does not ask for them. The secret is never told again. */
  credentials: z.strictObject({ username: printable(100), secret: printable(200) }).nullable(),
  /** From where the carrier calls us, all of them. */
  addresses: z.array(network).max(200),
  max_channels: z.int().min(1).max(100_000),
  enabled: z.boolean(),
};

const newTrunk = z.strictObject({ trunk_id: trunkId, host, ...z.strictObject(optional).partial().shape });
const trunkEdit = z.strictObject({
  host: host.optional(),
  ...z.strictObject(optional).partial().shape,
  /** With `enabled: false`, where calls for help go out over it: callers there will hear that help cannot be reached. */
  cuts_off_emergency_calls: z.boolean().default(false),
});

export function trunkRoutes(context: PortalContext): Route[] {
  return [read(context), create(context), edit(context)];
}

type Settings = Omit<z.output<typeof trunkEdit>, 'cuts_off_emergency_calls' | 'addresses'>;

function columnsOf({ credentials, ...rest }: Settings): Columns {
  if (credentials === undefined) return rest;
  return { ...rest, auth_username: credentials?.username ?? null, auth_secret: credentials?.secret ?? null };
}

function read({ pool }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/trunks/{trunk_id}',
      operation_id: 'admin_read_trunk',
      summary: 'One trunk.',
      tag: 'admin carriers',
      policy: WHO_LOOKS,
      params,
      answers: { 200: { description: 'The trunk, and its ETag.', json: trunkShape } },
    },
    async ({ params: { trunk_id } }) => answerOf(await readTrunk(pool, trunk_id)),
  );
}

function create({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/carriers/{carrier_id}/trunks',
      operation_id: 'admin_create_trunk',
      summary: 'Add a trunk. Where no port is said it is 5060, and 5061 over TLS.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      idempotent: true,
      params: carrierParams,
      body: newTrunk,
      answers: { 201: { description: 'Taken into the routes at once where it is enabled.', json: trunkShape } },
      problems: ['conflict'],
    },
    async ({ params: { carrier_id }, body, identity, operation_id, now }) => {
      const { trunk_id, addresses = [], ...settings } = body;
      const usual = settings.transport === 'tls' ? SIPS_PORT : SIP_PORT;
      const columns = { id: trunk_id, carrier_id, ...columnsOf({ ...settings, port: settings.port ?? usual }) };
      const made = await inTransaction(pool, async (tx) => {
        if (!(await isCarrier(tx, carrier_id))) throw new Problem('not_found');
        const row = await insertRow(tx, { table: 'trunk', columns, operation_id });
        if (row === null) throw new Problem('conflict', `There is a trunk ${trunk_id} already. Choose another name.`);
        if (!row.is_new) return readTrunk(tx, row.id);
        await placeNetworks(tx, { trunk_id, carrier_id, networks: addresses });
        const trunk = await readTrunk(tx, trunk_id);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'trunk.create', account_id: null },
          ...{ subject: `trunk:${trunk_id}`, detail: { ...toldOf(columns), addresses } },
        });
        return trunk;
      });
      return { ...answerOf(made), status: 201 };
    },
  );
}

function edit({ pool }: PortalContext): Route {
  return route(
    {
      method: 'patch',
      path: '/v1/admin/trunks/{trunk_id}',
      operation_id: 'admin_edit_trunk',
      summary:
        'Use a trunk, or do not; say anew how it is reached, from where it calls, and by which secret. Calls that are up stay.',
      tag: 'admin carriers',
      policy: WHO_EDITS,
      params,
      versioned: true,
      body: trunkEdit,
      answers: { 200: { description: 'For the next call.', json: trunkShape } },
      problems: ['conflict'],
    },
    async ({ params: { trunk_id }, body, version, identity, now }) => {
      const { cuts_off_emergency_calls, ...wished } = body;
      const { addresses, ...settings } = wished;
      const changed = changedNames(wished);
      const columns = columnsOf(settings);
      const edited = await inTransaction(pool, async (tx) => {
        const before = await lockRowAt(tx, { table: 'trunk', id: trunk_id, version, columns });
        const trunk = await readTrunk(tx, trunk_id);
        if (trunk === null) throw new Error('A trunk that was locked is gone.');
        if (settings.enabled === false && !cuts_off_emergency_calls) keepHelpReachable(trunk);
        if (addresses !== undefined) {
          await placeNetworks(tx, { trunk_id, carrier_id: trunk.carrier_id, networks: addresses });
        }
        await updateRow(tx, { table: 'trunk', id: trunk_id, columns });
        const after = await readTrunk(tx, trunk_id);
        const networks =
          addresses === undefined ? [{}, {}] : [trunk, after].map((one) => ({ addresses: one?.addresses }));
        await appendAudit(tx, {
          ...{
            at: now,
            actor: adminActor(identity),
            action: 'trunk.edit',
            account_id: null,
            subject: `trunk:${trunk_id}`,
          },
          detail: { changed, before: { ...before, ...networks[0] }, after: { ...toldOf(columns), ...networks[1] } },
        });
        return after;
      });
      return answerOf(edited);
    },
  );
}

function keepHelpReachable({ trunk_id, enabled, emergency_countries: countries }: TrunkTold): void {
  if (!enabled || countries.length === 0) return;
  throw new Problem(
    'conflict',
    `Calls for help from ${countries.join(', ')} go out over ${trunk_id}, and callers there would hear that help cannot be reached. ` +
      'Send them over another trunk first (PUT /v1/admin/emergency-routes/…), or say cuts_off_emergency_calls where that is meant.',
  );
}

async function placeNetworks(
  tx: Transaction,
  { trunk_id, carrier_id, networks }: { trunk_id: string; carrier_id: number; networks: readonly string[] },
): Promise<void> {
  const other = await networkInTheWay(tx, carrier_id, networks);
  if (other !== null) {
    const { asked, network: theirs, trunk_id: whose } = other;
    const told = `${asked} overlaps ${theirs} of ${whose}, which is another carrier’s: whose call it is could not be told.`;
    throw new Problem('conflict', `${told} Leave it out here, or take it away there first.`);
  }
  await setNetworks(tx, trunk_id, networks);
}

function answerOf(trunk: TrunkTold | null): { status: 200; body: TrunkTold; version: number } {
  if (trunk === null) throw new Problem('not_found');
  return { status: 200, body: trunk, version: trunk.version };
}
