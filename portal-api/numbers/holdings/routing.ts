import { appendAudit } from '../../../domain/audit/append_audit.ts';
import type { AuditActor } from '../../../domain/audit/append_audit.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { lockNumber } from '../lock_number.ts';
import { whyNotForwarded } from './forwarding.ts';
import type { Forward } from './forwarding.ts';
import { ownHolding } from './holding_rows.ts';

/** What the controller does with a call to a number. */
export interface Routing {
  /** These devices ring and no others; empty: all that the account has. */
  device_ids: string[];
  ring_timeout_seconds: number;
  /** Null: phones ring, and that is all. */
  forward: Forward | null;
  version: number;
}

export async function selectRouting(db: Queryable, number: string, account_id: string): Promise<Routing | null> {
  const { rows } = await db.query<Routing>(
    `select coalesce((select array_agg(c.device_id order by c.device_id) from number_device c where c.number = d.number), '{}') as device_ids,
            d.ring_timeout_seconds, h.version,
            case when d.forward_to is not null then jsonb_build_object('to', d.forward_to, 'when', d.forward_when) end as forward
       from did d join number_holding h on h.number = d.number and h.held_to is null
      where d.number = $1 and h.account_id = $2`,
    [number, account_id],
  );
  return rows[0] ?? null;
}

/** What its holder wants; `forward` undefined leaves that as it is. */
export interface RoutingWish extends Omit<Routing, 'forward'> {
  forward: Forward | null | undefined;
}

/** Who wants it, and whether that one has proven lately to be it. */
export interface RoutingWisher {
  account_id: string;
  actor: AuditActor;
  is_proven: boolean;
  now: Date;
}

export type Routed =
  | { kind: 'routed'; routing: Routing }
  | { kind: 'not_found' | 'changed' | 'no_such_device' | 'unproven' }
  | { kind: 'not_forwarded'; words: string };

/** The next call is routed so. */
export async function setRouting(
  tx: Transaction,
  number: string,
  { device_ids, ring_timeout_seconds, forward: wanted, version }: RoutingWish,
  wisher: RoutingWisher,
): Promise<Routed> {
  const { account_id } = wisher;
  await lockNumber(tx, number);
  const holding = await ownHolding(tx, number, account_id);
  const before = await selectRouting(tx, number, account_id);
  if (holding === null || before === null) return { kind: 'not_found' };
  if (holding.version !== version) return { kind: 'changed' };
  const chosen = [...new Set(device_ids)];
  if (!(await areTheirs(tx, account_id, chosen))) return { kind: 'no_such_device' };
  const forward = wanted === undefined ? before.forward : wanted;
  const is_moved = forward?.to !== before.forward?.to || forward?.when !== before.forward?.when;
  const refused = is_moved && forward !== null ? await whyNotSet(tx, forward, wisher) : null;
  if (refused !== null) return refused;
  await tx.query('delete from number_device where number = $1', [number]);
  await tx.query('insert into number_device (number, device_id) select $1, unnest($2::uuid[])', [number, chosen]);
  await tx.query('update did set ring_timeout_seconds = $2, forward_to = $3, forward_when = $4 where number = $1', [
    ...[number, ring_timeout_seconds, forward?.to ?? null, forward?.when ?? null],
  ]);
  await tx.query('update number_holding set version = version + 1 where id = $1', [holding.id]);
  if (is_moved) await auditForward(tx, holding.id, before.forward, forward, wisher);
  return { kind: 'routed', routing: { device_ids: chosen, ring_timeout_seconds, forward, version: version + 1 } };
}

async function areTheirs(tx: Transaction, account_id: string, device_ids: readonly string[]): Promise<boolean> {
  const { rowCount } = await tx.query('select from sip_device where account_id = $1 and id = any ($2::uuid[])', [
    account_id,
    device_ids,
  ]);
  return rowCount === device_ids.length;
}

/** Calls that go elsewhere cost money, and whoever has somebody's session could listen to his calls and codes: it is proven who asks. */
async function whyNotSet(
  tx: Transaction,
  { to }: Forward,
  { account_id, is_proven, now }: RoutingWisher,
): Promise<Exclude<Routed, { kind: 'routed' }> | null> {
  if (!is_proven) return { kind: 'unproven' };
  const words = await whyNotForwarded(tx, account_id, to, now);
  return words === null ? null : { kind: 'not_forwarded', words };
}

/** That it was changed and how, but not to which number, which is somebody's: that stands in the routing itself. */
function auditForward(
  tx: Transaction,
  holding_id: string,
  before: Forward | null,
  after: Forward | null,
  { account_id, actor, now }: RoutingWisher,
): Promise<void> {
  return appendAudit(tx, {
    ...{ at: now, actor, action: 'number.forward', account_id, subject: `number_holding:${holding_id}` },
    detail: { before: before?.when ?? 'never', after: after?.when ?? 'never' },
  });
}
