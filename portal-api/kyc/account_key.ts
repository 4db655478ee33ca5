import type { Transaction } from '../../domain/db/transaction.ts';
import type { DataKeys } from '../../domain/privacy/data_keys.ts';

/** The key that seals what belongs to an account; made where it has none yet. */
export async function accountKey(tx: Transaction, keys: DataKeys, account_id: string, now: Date): Promise<Buffer> {
  const known = await keyIdOf(tx, account_id, false);
  if (known !== null) return keys.open(tx, known);
  const made = await keyIdOf(tx, account_id, true);
  if (made !== null) return keys.open(tx, made);
  const { id, key } = await keys.make(tx, now);
  await tx.query('update account set data_key_id = $2 where id = $1', [account_id, id]);
  return key;
}

/** Locked: nobody else makes one meanwhile. */
async function keyIdOf(tx: Transaction, account_id: string, locked: boolean): Promise<string | null> {
  const { rows } = await tx.query<{ data_key_id: string | null }>(
    `select data_key_id from account where id = $1${locked ? ' for no key update' : ''}`,
    [account_id],
  );
  const row = rows[0];
  if (row === undefined) throw new Error(`There is no account ${account_id}.`);
  return row.data_key_id;
}
