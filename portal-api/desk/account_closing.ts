import type { Transaction } from '../../domain/db/transaction.ts';
import { enqueue } from '../jobs/task.ts';
import { endDunning } from '../payments/dunning.ts';
import { lockWallet } from '../payments/refunds.ts';

/**
 * What ends with an account, besides that nobody can come in: nothing fills its wallets by itself any more, and its numbers end with what
 * is paid for, of which there may be thousands, so that is done by a task. What is left in its wallets stays there until finance pays it out.
 */
export async function endWithAccount(
  tx: Transaction,
  { account_id, admin_id }: { account_id: string; admin_id: string },
): Promise<void> {
  const { rows } = await tx.query<{ id: string }>('select id from wallet where account_id = $1 order by id', [
    account_id,
  ]);
  // The wallets first, as everywhere.
  for (const { id } of rows) await lockWallet(tx, BigInt(id));
  await tx.query(
    `update auto_top_up set enabled = false, stopped_because = 'account closed', version = version + 1 where account_id = $1`,
    [account_id],
  );
  for (const { id } of rows) await endDunning(tx, BigInt(id));
  await enqueue(tx, { task: 'end_numbers_of_account', payload: { account_id, admin_id } });
}
