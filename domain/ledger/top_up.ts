import type { Transaction } from '../db/transaction.ts';
import { ledgerAccount, post } from './post.ts';
import type { PostVerdict } from './post.ts';

export interface TopUp {
  /** The payment's own id: the same payment never counts twice. */
  payment_id: string;
  wallet_id: bigint;
  amount_micros: bigint;
  reason: string;
}

/** Puts money into a wallet. A call that is running out of money is told at once and goes on. */
export async function topUp(tx: Transaction, top_up: TopUp): Promise<PostVerdict | 'no_wallet'> {
  if (top_up.amount_micros <= 0n) throw new RangeError('A top-up is more than nothing.');
  const wallet = await tx.query<{ currency: string }>('select currency from wallet where id = $1 for no key update', [
    top_up.wallet_id.toString(),
  ]);
  const currency = wallet.rows[0]?.currency;
  if (currency === undefined) return 'no_wallet';
  const cash = await ledgerAccount(tx, 'wallet_cash', currency, top_up.wallet_id);
  const clearing = await ledgerAccount(tx, 'payment_clearing', currency, null);
  const content = {
    wallet_id: top_up.wallet_id.toString(),
    amount_micros: top_up.amount_micros.toString(),
    reason: top_up.reason,
  };
  const verdict = await post(tx, 'topup', top_up.payment_id, content, [
    { account_id: cash, amount_micros: top_up.amount_micros },
    { account_id: clearing, amount_micros: -top_up.amount_micros },
  ]);
  if (verdict === 'posted') await tx.query("select pg_notify('wallet', $1)", [top_up.wallet_id.toString()]);
  return verdict;
}
