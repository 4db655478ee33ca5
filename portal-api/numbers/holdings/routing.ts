import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { lockNumber } from '../lock_number.ts';
import { ownHolding } from './holding_rows.ts';

/** What the controller does with a call to a number. */
export interface Routing {
  /** These devices ring and no others; empty: all that the account has. */
  device_ids: string[];
  ring_timeout_seconds: number;
  version: number;
}

export async function selectRouting(db: Queryable, number: string, account_id: string): Promise<Routing | null> {
  const { rows } = await db.query<Routing>(
    `select coalesce((select array_agg(c.device_id order by c.device_id) from number_device c where c.number = d.number), '{}') as device_ids,
            d.ring_timeout_seconds, h.version
       from did d join number_holding h on h.number = d.number and h.held_to is null
      where d.number = $1 and h.account_id = $2`,
    [number, account_id],
  );
  return rows[0] ?? null;
}

export type Routed = { kind: 'routed'; routing: Routing } | { kind: 'not_found' | 'changed' | 'no_such_device' };

/** The next call is routed so. */
export async function setRouting(
  tx: Transaction,
  number: string,
  account_id: string,
  { device_ids, ring_timeout_seconds, version }: Routing,
): Promise<Routed> {
  await lockNumber(tx, number);
  const holding = await ownHolding(tx, number, account_id);
  if (holding === null) return { kind: 'not_found' };
  if (holding.version !== version) return { kind: 'changed' };
  const chosen = [...new Set(device_ids)];
  const { rowCount } = await tx.query('select from sip_device where account_id = $1 and id = any ($2::uuid[])', [
    account_id,
    chosen,
  ]);
  if (rowCount !== chosen.length) return { kind: 'no_such_device' };
  await tx.query('delete from number_device where number = $1', [number]);
  await tx.query('insert into number_device (number, device_id) select $1, unnest($2::uuid[])', [number, chosen]);
  await tx.query('update did set ring_timeout_seconds = $2 where number = $1', [number, ring_timeout_seconds]);
  await tx.query('update number_holding set version = version + 1 where id = $1', [holding.id]);
  return { kind: 'routed', routing: { device_ids: chosen, ring_timeout_seconds, version: version + 1 } };
}
