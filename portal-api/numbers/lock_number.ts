import type { Transaction } from '../../domain/db/transaction.ts';

export interface LockedNumber {
  state: 'free' | 'active' | 'suspended' | 'quarantined';
  account_id: string | null;
}

/**
 * Whoever changes what a number is takes its row first, so that all that happens to one number happens one after the other. Null where
 * it is none of ours.
 */
export async function lockNumber(tx: Transaction, number: string): Promise<LockedNumber | null> {
  const { rows } = await tx.query<LockedNumber>(
    'select state, account_id from did where number = $1 for no key update',
    [number],
  );
  return rows[0] ?? null;
}

/** What the controller and the gateway obey from the commit on. */
export async function setNumber(tx: Transaction, number: string, { state, account_id }: LockedNumber): Promise<void> {
  await tx.query('update did set state = $2, account_id = $3 where number = $1', [number, state, account_id]);
}
