import type { Transaction } from '../../domain/db/transaction.ts';
import { tellCustomer } from '../live/tell_customer.ts';
import { payDebt } from './debts.ts';
import type { PayingWallet } from './debts.ts';

/**
 * What follows from cash that came into a wallet, or came back to it: a debt is paid with it first, calls that go on hear of it, and so
 * does who looks at his wallet. Once for what brought it, in whose transaction the wallet is locked.
 */
export async function cashCame(tx: Transaction, wallet: PayingWallet, cause_id: string, now: Date): Promise<void> {
  const { account_id, wallet_id } = wallet;
  await payDebt(tx, wallet, cause_id, now);
  await tx.query(`select pg_notify('wallet', $1)`, [wallet_id.toString()]);
  await tellCustomer(tx, account_id, { type: 'wallet', id: wallet_id.toString() });
}
