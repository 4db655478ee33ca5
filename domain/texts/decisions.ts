import type { Queryable } from '../db/transaction.ts';

/** not_found: the account has no such text. too_late: it is in a gateway's hands, or has ended. */
export type CancelVerdict = 'cancelled' | 'not_found' | 'too_late';

/** Takes a text back that no gateway has in its hands, and gives its price back. */
export async function cancelMessage(
  db: Queryable,
  account_id: string,
  message_id: string,
  now: Date,
): Promise<CancelVerdict> {
  const { rows } = await db.query<{ verdict: CancelVerdict }>('select cancel_message($1, $2, $3) as verdict', [
    account_id,
    message_id,
    now,
  ]);
  const row = rows[0];
  if (row === undefined) throw new Error('cancel_message returned no row');
  return row.verdict;
}

export interface Decision {
  message_id: string;
  /** Let go, or refused and given back. */
  release: boolean;
  /** Who decided, and why: it stands in the text's story. */
  by: string;
  reason: string;
}

export type DecisionVerdict = 'released' | 'refused' | 'not_found' | 'not_held';

/** A person's decision on a text that was held, or of which it is not known whether a carrier took it. */
export async function decideHeldMessage(db: Queryable, decision: Decision, now: Date): Promise<DecisionVerdict> {
  const { rows } = await db.query<{ verdict: DecisionVerdict }>(
    'select decide_held_message($1, $2, $3, $4, $5) as verdict',
    [decision.message_id, decision.release, decision.by, decision.reason, now],
  );
  const row = rows[0];
  if (row === undefined) throw new Error('decide_held_message returned no row');
  return row.verdict;
}
