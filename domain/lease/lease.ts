import type { Queryable } from '../db/transaction.ts';

export interface TakenLease {
  epoch: number;
  record_position: string | null;
}

/** Takes over a switch, or the sending of texts: from now on, whatever an older epoch asks for is refused. */
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
