import type { Queryable } from '../../../domain/db/transaction.ts';
import { enqueue } from '../../jobs/task.ts';

/** To be called where money came into a wallet, or a number is to be paid for again, in that transaction: what waits is paid at once. */
export function payNumbersSoon(tx: Queryable, account_id: string): Promise<void> {
  return enqueue(tx, { task: 'renew_numbers', payload: { account_id } });
}
