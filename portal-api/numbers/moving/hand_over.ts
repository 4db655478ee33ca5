import type { Transaction } from '../../../domain/db/transaction.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { pendingCancellation } from '../holdings/cancel_number.ts';
import { endHolding } from '../holdings/end_holding.ts';
import { insertHolding } from '../holdings/holding_rows.ts';
import type { Holding } from '../holdings/holding_rows.ts';
import { isKept } from '../holdings/kept.ts';
import { setNumber } from '../lock_number.ts';
import { priceToday } from '../offers/wallet_price.ts';
import { mayBuy, selectBuyer } from '../orders/buyer.ts';
import type { BuyerRefusal } from '../orders/buyer.ts';

/** What is unpaid, cancelled, disputed or promised to another operator stays where it is. */
export async function isTransferable(tx: Transaction, { id, state }: Holding, now: Date): Promise<boolean> {
  return state === 'active' && (await pendingCancellation(tx, id)) === null && !(await isKept(tx, id, now));
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

export interface NextHolder extends Taking {
  /** The holding's id. */
  id: string;
  account_id: string;
  now: Date;
}

/** To whom both sides agreed, who are told. The number's row is locked, and its transfer is written as done. */
export async function handOver(tx: Transaction, holding: Holding, next: NextHolder): Promise<void> {
  await changeHolder(tx, holding, next, 'active');
  const facts = { number: holding.number };
  for (const account_id of [holding.account_id, next.account_id]) {
    await queueNotice(tx, { to: { account_id }, template: 'transfer_done', facts });
  }
}

/** Makes somebody else the holder, with what is left of the month that was paid. The number's row is locked. */
export async function changeHolder(
  tx: Transaction,
  holding: Holding,
  next: NextHolder,
  state: 'active' | 'suspended',
): Promise<void> {
  const { id, account_id, wallet_id, currency, monthly_micros, converted, now } = next;
  const { number } = holding;
  const from = await endHolding(tx, holding, { reason: 'transferred', at: now });
  const since = { held_from: from, held_to: null, state_since: from };
  const price = { wallet_id, currency, monthly_micros, converted };
  await insertHolding(tx, { ...holding, id, account_id, ...price, ...since, state, periods: 0, version: 1 }, null);
  await setNumber(tx, number, { state, account_id });
  await tellCustomer(tx, account_id, { type: 'number', id: number, state });
}
