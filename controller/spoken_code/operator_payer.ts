import { payerColumns, payerOf, payerWallet } from '../../domain/accounts/caller_profile.ts';
import type { PayerProfile, PayerRow } from '../../domain/accounts/caller_profile.ts';
import { OPERATOR_ACCOUNT_ID } from '../../domain/accounts/operator_account.ts';
import type { Queryable } from '../../domain/db/transaction.ts';

/** The operator's own account, by which calls that nobody else pays for are made. */
export async function operatorPayer(db: Queryable): Promise<PayerProfile | null> {
  const { rows } = await db.query<PayerRow>(`select ${payerColumns} from account a ${payerWallet} where a.id = $1`, [
    OPERATOR_ACCOUNT_ID,
  ]);
  return rows[0] === undefined ? null : payerOf(rows[0]);
}
