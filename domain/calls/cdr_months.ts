import type { Queryable } from '../db/transaction.ts';

/** Makes the partitions of this month and the next two, so that no record waits for one. */
export async function ensureCdrMonths(db: Queryable, now: Date): Promise<void> {
  await db.query(
    `select ensure_cdr_month((date_trunc('month', $1::timestamptz at time zone 'UTC') + make_interval(months => m))::date)
       from generate_series(0, 2) m`,
    [now],
  );
}
