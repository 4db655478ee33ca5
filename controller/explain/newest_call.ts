import type { Queryable } from '../../domain/db/transaction.ts';

interface Newest {
  call_id: string;
  at: Date;
}

/** How far back is looked, one after the other: records have no index of their beginning, as each call would pay for it. */
const BACK = ['1 hour', '1 day', '40 days', '100 years'];

/** The call that began last, whether it is over or lives; null before the first one. */
export async function newestCall(db: Queryable): Promise<Newest | null> {
  for (const back of BACK) {
    const newest = await newestWithin(db, back);
    if (newest !== null) return newest;
  }
  return null;
}

async function newestWithin(db: Queryable, back: string): Promise<Newest | null> {
  const { rows } = await db.query<Newest>(
    `select call_id, started_at as at from (
       (select call_id, started_at from cdr where started_at > now() - $1::interval order by started_at desc limit 1)
       union all (select call_id, authorized_at from call_hold
                    where state = 'o' and authorized_at > now() - $1::interval order by authorized_at desc limit 1)
     ) newest order by started_at desc limit 1`,
    [back],
  );
  return rows[0] ?? null;
}
