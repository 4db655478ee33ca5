import type { Queryable } from '../../domain/db/transaction.ts';

export interface FailedDelivery {
  id: bigint;
  /** As it was taken: a delivery that somebody else has taken since is theirs. */
  taken_until: Date;
  /** Null: never again, unless somebody asks. */
  next_at: Date | null;
  why: string;
}

/** Counts a failure for each, and says when it is attempted again; or that it is dead. */
export async function failDeliveries(db: Queryable, now: Date, failures: readonly FailedDelivery[]): Promise<void> {
  await db.query({
    name: 'fail_deliveries',
    text: `update customer_delivery d
              set attempts = d.attempts + 1, last_error = f.why, due_at = coalesce(f.next_at, d.due_at),
                  dead_at = case when f.next_at is null then $1::timestamptz end
             from unnest($2::bigint[], $3::timestamptz[], $4::timestamptz[], $5::text[]) as f (id, taken_until, next_at, why)
            where d.id = f.id and d.due_at = f.taken_until and d.dead_at is null`,
    values: [
      now,
      failures.map(({ id }) => id.toString()),
      failures.map(({ taken_until }) => taken_until),
      failures.map(({ next_at }) => next_at),
      failures.map(({ why }) => why),
    ],
  });
}
