import type { Queryable } from '../../domain/db/transaction.ts';

/**
 * Gives every dead letter of an endpoint that is switched on all its attempts once more, beginning now, and wakes the
 * sender. Says how many there are; 0 for an endpoint that is off, where they would only die again.
 */
export async function replayDead(db: Queryable, endpoint_id: string, now: Date): Promise<number> {
  const { rows } = await db.query<{ replayed: number }>(
    `with replayed as (
       update customer_delivery d set dead_at = null, attempts = 0, due_at = $2
         from webhook_endpoint e
        where e.id = $1::uuid and e.enabled and d.target = e.id::text and d.channel = 'webhook' and d.dead_at is not null returning 1
     ), counted as (
       select count(*)::integer as replayed from replayed)
     select replayed, case when replayed > 0 then pg_notify('customer_delivery', '') end from counted`,
    [endpoint_id, now],
  );
  return rows[0]?.replayed ?? 0;
}
