import type { Queryable } from '../../domain/db/transaction.ts';

/** Forgets what was delivered. */
export async function deleteDeliveries(db: Queryable, ids: readonly bigint[]): Promise<void> {
  await db.query({
    name: 'delete_deliveries',
    text: 'delete from customer_delivery where id = any($1)',
    values: [ids.map(String)],
  });
}
