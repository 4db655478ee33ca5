import type { Queryable } from '../db/transaction.ts';

export interface TakenLease {
  epoch: number;
  record_position: string | null;
}

/** Takes the switch over: from now on, whatever an older epoch asks for is refused. */
export async function takeLease(db: Queryable, switch_id: string, owner: string, now: Date): Promise<TakenLease> {
  const { rows } = await db.query<{ epoch: number; record_position: string | null }>(
    'select epoch, record_position from take_lease($1, $2, $3)',
    [switch_id, owner, now],
  );
  const row = rows[0];
  if (row === undefined) throw new Error('take_lease returned no row');
  return row;
}

/** Who owns the switch; null when nobody ever did. */
export async function leaseOwner(
  db: Queryable,
  switch_id: string,
): Promise<{ owner: string | null; epoch: number } | null> {
  const { rows } = await db.query<{ owner: string | null; epoch: number }>(
    'select owner, epoch from switch_lease where switch_id = $1',
    [switch_id],
  );
  return rows[0] ?? null;
}

/** Remembers how far the switch's records are settled; false when the lease was lost. */
export async function saveRecordPosition(
  db: Queryable,
  switch_id: string,
  epoch: number,
  position: string,
): Promise<boolean> {
  const { rows } = await db.query<{ saved: boolean }>('select save_record_position($1, $2, $3) as saved', [
    switch_id,
    epoch,
    position,
  ]);
  return rows[0]?.saved === true;
}

/** Deletes settled holds that are older than the window in which a settlement may be repeated; their records stay. */
export async function purgeSettledHolds(db: Queryable, older_than: Date, rows_max: number): Promise<number> {
  const { rows } = await db.query<{ purged: number }>('select purge_settled_holds($1, $2) as purged', [
    older_than,
    rows_max,
  ]);
  const row = rows[0];
  if (row === undefined) throw new Error('purge_settled_holds returned no row');
  return row.purged;
}
