import type { Queryable } from '../../domain/db/transaction.ts';

/**
 * Switches an endpoint off whose server wants to hear nothing more, and keeps what it was still to be told as dead letters:
 * if the answer was a mistake, they can be told again once it is switched on. Says how many there were.
 */
export async function closeEndpoint(db: Queryable, endpoint_id: string, now: Date, why: string): Promise<number> {
  const { rows } = await db.query<{ buried: number }>(
    `with closed as (
       update webhook_endpoint set enabled = false where id = $1::uuid and enabled
     ), buried as (
       update customer_delivery set dead_at = $2, last_error = $3
        where target = $1::uuid::text and channel = 'webhook' and dead_at is null returning 1)
     select count(*)::integer as buried from buried`,
    [endpoint_id, now, why],
  );
  return rows[0]?.buried ?? 0;
}
