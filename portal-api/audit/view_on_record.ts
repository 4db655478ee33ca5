import type pg from 'pg';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { instant, line, uuid } from '../http/fields.ts';
import { pageQuery } from '../http/cursor.ts';
import type { Identity } from '../identity/identity.ts';
import { adminActor } from '../identity/whose.ts';

/** What a list that shows something of customers is asked with: why it is looked at is on record. */
export const viewQuery = pageQuery.extend({ account_id: uuid.optional(), purpose: line(500) });

/** From when on, and before when. */
export const timeQuery = { from: instant.optional(), to: instant.optional() } as const;

export interface View {
  /** `payments.view` */
  action: string;
  /** Whose; null where it is a list of everybody. */
  account_id: string | null;
  subject: string;
  purpose: string;
}

/** Reads what one of the operator's wants to see, and writes down that it was seen and why, before anything of it is shown. */
export function viewOnRecord<T>(
  pool: pg.Pool,
  { identity, now }: { identity: Identity; now: Date },
  view: View,
  read: (tx: Transaction) => Promise<T>,
): Promise<T> {
  return inTransaction(pool, async (tx) => {
    const seen = await read(tx);
    await appendAudit(tx, { at: now, actor: adminActor(identity), ...view });
    return seen;
  });
}

/**
 * Of what a list of everybody shows: each account of which something is in it, as each may ask who looked; and that somebody looked, where
 * it is of nobody. A list of one account is on record as that one's, whatever it shows. Comes last in its transaction.
 */
export async function recordShown(
  tx: Queryable,
  { identity, now }: { identity: Identity; now: Date },
  view: View,
  shown: readonly { account_id: string }[],
): Promise<void> {
  const of_everybody = view.account_id === null ? [...new Set(shown.map(({ account_id }) => account_id))] : [];
  for (const account_id of of_everybody.length === 0 ? [view.account_id] : of_everybody) {
    await appendAudit(tx, { at: now, actor: adminActor(identity), ...view, account_id });
  }
}
