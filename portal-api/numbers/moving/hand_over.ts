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

/**
 * Makes somebody else the holder. The number's row is locked, and its transfer is written as done. One that we decide on may not be paid for:
 * then it works for the next holder once he has paid, from then on and not for what somebody else owes.
 */
export async function handOver(
  tx: Transaction,
  holding: Holding,
  /** `why`: we decided so, and both are told that; null: both had agreed. */
  next: Taking & { id: string; account_id: string; now: Date; why: string | null },
): Promise<void> {
  const { id, account_id, wallet_id, currency, monthly_micros, converted, now, why } = next;
  const { number } = holding;
  const state = why === null || isPaid(holding, now) ? 'active' : 'suspended';
  const from = await endHolding(tx, holding, { reason: 'transferred', at: now });
  const since = { held_from: from, held_to: null, state_since: from };
  const price = { wallet_id, currency, monthly_micros, converted };
  await insertHolding(tx, { ...holding, id, account_id, ...price, ...since, state, periods: 0, version: 1 }, null);
  await setNumber(tx, number, { state, account_id });
  await tellCustomer(tx, account_id, { type: 'number', id: number, state });
  await tellBoth(tx, { from: holding.account_id, to: account_id, number, why });
}

export const isPaid = ({ state, paid_until }: Holding, now: Date): boolean => state === 'active' && paid_until > now;

async function tellBoth(
  tx: Transaction,
  { from, to, number, why }: { from: string; to: string; number: string; why: string | null },
): Promise<void> {
  const template = why === null ? (['transfer_done', 'transfer_done'] as const) : DECIDED;
  const facts = why === null ? { number } : { number, why };
  await queueNotice(tx, { to: { account_id: from }, template: template[0], facts });
  await queueNotice(tx, { to: { account_id: to }, template: template[1], facts });
}

const DECIDED = ['ownership_taken', 'ownership_given'] as const;
