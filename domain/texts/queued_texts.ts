import type { Queryable } from '../db/transaction.ts';

/** Of one account: its texts that no carrier has yet. */
export interface QueuedTexts {
  account_id: string;
  /** They could go now. */
  waiting: number;
  /** Their time has not come. */
  scheduled: number;
}

/**
 * Of all accounts that have some; what a person holds and what is in doubt waits for no carrier. It takes some microseconds for each text,
 * so it is nothing to ask for each text.
 */
export async function countQueuedTexts(db: Queryable, now: Date): Promise<QueuedTexts[]> {
  const { rows } = await db.query<QueuedTexts>({
    name: 'count_queued_texts',
    text: 'select account_id, waiting, scheduled from count_queued_texts($1)',
    values: [now],
  });
  return rows;
}
