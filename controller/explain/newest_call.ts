import type { Queryable } from '../../domain/db/transaction.ts';

/** The call that began last, whether it is over or lives; null before the first one. */
export async function newestCall(db: Queryable): Promise<{ call_id: string; at: Date } | null> {
  const { rows } = await db.query<{ call_id: string; at: Date }>(
    `select call_id, started_at as at from (
       (select call_id, started_at from cdr order by started_at desc limit 1)
       union all (select call_id, authorized_at from call_hold where state = 'o' order by authorized_at desc limit 1)
     ) newest order by started_at desc limit 1`,
  );
  return rows[0] ?? null;
}
