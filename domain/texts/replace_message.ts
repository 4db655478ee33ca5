import type { Queryable } from '../db/transaction.ts';

export interface Replacement {
  account_id: string;
  message_id: string;
  body: string;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  segments: number;
  wants_receipt: boolean;
  /** Null: as before. */
  due_at: Date | null;
  /** Null: as before. */
  valid_until: Date | null;
}

/**
 * - `not_found`: the account has no such text;
 * - `too_late`: it is in a gateway's hands, was sent, is held, or has ended;
 * - `other_length`: it was charged for another number of segments.
 */
export type ReplaceVerdict = 'replaced' | 'not_found' | 'too_late' | 'other_length';

/** Writes another text over one that waits. What it cost stays; its content was judged by the caller. */
export async function replaceMessage(db: Queryable, replacement: Replacement, now: Date): Promise<ReplaceVerdict> {
  const { account_id, message_id, body, encoding, segments, wants_receipt, due_at, valid_until } = replacement;
  const { rows } = await db.query<{ verdict: ReplaceVerdict }>(
    'select replace_message($1, $2, $3, $4, $5, $6, $7, $8, $9) as verdict',
    [account_id, message_id, body, encoding, segments, wants_receipt, due_at, valid_until, now],
  );
  const row = rows[0];
  if (row === undefined) throw new Error('replace_message returned no row');
  return row.verdict;
}
