import type { Queryable } from '../../domain/db/transaction.ts';
import { unseal } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';

/** Under which name an account is held, as it stands on invoices and offers; what the account is called where it never registered. */
export async function readHolderName(
  { keys }: Pick<PortalContext, 'keys'>,
  db: Queryable,
  account_id: string,
): Promise<string | null> {
  const { rows } = await db.query<{ name: string; data_key_id: string | null; name_sealed: Buffer | null }>(
    `select a.name, a.data_key_id, h.name_sealed from account a left join account_holder h on h.account_id = a.id where a.id = $1`,
    [account_id],
  );
  const row = rows[0];
  if (row === undefined) return null;
  if (row.name_sealed === null || row.data_key_id === null) return row.name;
  const key = await keys.open(db, row.data_key_id);
  return unseal(key, `account_holder.name:${account_id}`, row.name_sealed).toString();
}
