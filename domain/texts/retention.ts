import type { Queryable } from '../db/transaction.ts';
import type { GatewayLease } from './queue.ts';

/**
 * Erases what texts said that were accepted or arrived before that moment, an hour of texts at a time.
 * @returns until when is erased by now; null where nothing is left to do.
 */
export async function eraseBodies(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  before: Date,
): Promise<Date | null> {
  const { rows } = await db.query<{ erased_until: Date | null }>('select erase_bodies($1, $2, $3) as erased_until', [
    gateway_id,
    epoch,
    before,
  ]);
  return rows[0]?.erased_until ?? null;
}

export interface Forgetting {
  /** Of requests: until then the same key finds the text that it made. */
  keys_before: Date;
  /** Of receipts that are nobody's, and of what a customer could not be told. */
  letters_before: Date;
  /** Of each kind, at once. */
  rows_max: number;
}

/** Deletes what was kept for repeats, late receipts and dead letters. Says how many rows went. */
export async function forgetTextsPast(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  { keys_before, letters_before, rows_max }: Forgetting,
): Promise<number> {
  const { rows } = await db.query<{ forgotten: number }>('select forget_texts_past($1, $2, $3, $4, $5) as forgotten', [
    gateway_id,
    epoch,
    keys_before,
    letters_before,
    rows_max,
  ]);
  return rows[0]?.forgotten ?? 0;
}
