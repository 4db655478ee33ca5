import type { Transaction } from '../../domain/db/transaction.ts';
import { seal } from '../../domain/privacy/sealing.ts';

/** What an account is called where names stand in the clear. Who holds it is personal, and stands sealed in account_holder. */
export const ACCOUNT_NAMES = { person: 'Personal account', business: 'Business account' } as const;

/** Under which name an account is held: a person's own, or that of the business. */
export async function insertHolder(
  tx: Transaction,
  { account_id, key, name }: { account_id: string; key: Buffer; name: string },
): Promise<void> {
  await tx.query('insert into account_holder (account_id, name_sealed) values ($1, $2)', [
    account_id,
    seal(key, `account_holder.name:${account_id}`, Buffer.from(name)),
  ]);
}
