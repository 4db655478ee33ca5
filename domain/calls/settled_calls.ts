import type { Queryable } from '../db/transaction.ts';

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

/** Which of these calls have a record. */
export async function recordedCalls(db: Queryable, call_ids: readonly string[]): Promise<ReadonlySet<string>> {
  const { rows } = await db.query<{ call_id: string }>({
    name: 'recorded_calls',
    text: 'select call_id from cdr where call_id = any($1::uuid[])',
    values: [call_ids],
  });
  return new Set(rows.map(({ call_id }) => call_id));
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
