import type { Queryable } from '../db/transaction.ts';

/** Makes the tables of this month's and the next months' texts, where they are missing. */
export async function ensureMessageMonths(db: Queryable, now: Date): Promise<void> {
  for (const ahead of [0, 1, 2]) {
    const month = new Date(Date.UTC(now.getUTCFullYear(), now.getUTCMonth() + ahead, 1));
    await db.query('select ensure_message_month($1)', [month.toISOString().slice(0, 10)]);
  }
}
