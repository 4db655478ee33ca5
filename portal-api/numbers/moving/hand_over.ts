import type { Transaction } from '../../../domain/db/transaction.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { isBeingPorted, pendingCancellation } from '../holdings/cancel_number.ts';
import { endHolding } from '../holdings/end_holding.ts';
import { insertHolding } from '../holdings/holding_rows.ts';
import type { Holding } from '../holdings/holding_rows.ts';
import { setNumber } from '../lock_number.ts';
import { priceToday } from '../offers/wallet_price.ts';
import { mayBuy, selectBuyer } from '../orders/buyer.ts';
import type { BuyerRefusal } from '../orders/buyer.ts';

/** What is unpaid, cancelled or promised to another operator stays where it is. */
export async function isTransferable(tx: Transaction, { id, state }: Holding): Promise<boolean> {
  return state === 'active' && (await pendingCancellation(tx, id)) === null && !(await isBeingPorted(tx, id));
}

/** The wallet that pays for it from now on, and what that pays for a month. */
export interface Taking extends Pick<Holding, 'currency' | 'monthly_micros' | 'converted'> {
  wallet_id: bigint;
}

/** Why that account may not take a number over; else at which price, in its own wallet's currency. */
export async function mayTake(
  tx: Transaction,
  holding: Holding,
  account_id: string,
  now: Date,
): Promise<Taking | { refusal: BuyerRefusal }> {
  const allowed = mayBuy(await selectBuyer(tx, account_id, holding.currency, now));
  if ('refusal' in allowed) return allowed;
  const price = await priceToday(tx, { ...holding, setup_micros: 0n }, allowed.currency, now);
  if (price === null) return { refusal: 'no_rate' };
  const { currency, monthly_micros } = price;
  return { wallet_id: allowed.wallet_id, currency, monthly_micros, converted: price.converted ?? holding.converted };
}

/** Makes somebody else the holder. The number's row is locked, and its transfer is written as done. */
export async function handOver(
  tx: Transaction,
  holding: Holding,
  next: Taking & { id: string; account_id: string; now: Date },
): Promise<void> {
  const { id, account_id, wallet_id, currency, monthly_micros, converted, now } = next;
  const { number } = holding;
  const from = await endHolding(tx, holding, { reason: 'transferred', at: now });
  const since = { held_from: from, held_to: null, state_since: from };
  const price = { wallet_id, currency, monthly_micros, converted };
  await insertHolding(tx, { ...holding, id, account_id, ...price, ...since, periods: 0, version: 1 }, null);
  await setNumber(tx, number, { state: 'active', account_id });
  await tellCustomer(tx, account_id, { type: 'number', id: number, state: 'active' });
  for (const one of [holding.account_id, account_id]) {
    await queueNotice(tx, { to: { account_id: one }, template: 'transfer_done', facts: { number } });
  }
}
