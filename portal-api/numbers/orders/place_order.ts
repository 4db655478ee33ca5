import type { Transaction } from '../../../domain/db/transaction.ts';
import { chargeWallet } from '../../../domain/ledger/charge_wallet.ts';
import { withTax } from '../../../domain/rating/price.ts';
import { mustBeOfAccount } from '../../http/idempotency.ts';
import { enqueue } from '../../jobs/task.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { PAYMENT_POLICY } from '../../payments/payment_policy.ts';
import { lockNumber } from '../lock_number.ts';
import { selectOffer } from '../offers/offer_rows.ts';
import { conversionWords, priceToday } from '../offers/wallet_price.ts';
import type { WalletPrice } from '../offers/wallet_price.ts';
import { PENDING_KYC_MAX } from '../terms.ts';
import { mayBuy, selectBuyer } from './buyer.ts';
import type { BuyerPorts, BuyerRefusal } from './buyer.ts';
import { insertOrder, selectOrder, waitingOrders } from './order_rows.ts';
import type { Order } from './order_rows.ts';

export interface OrderWish {
  order_id: string;
  account_id: string;
  number: string;
  /** Whether it is kept until the documents that are missing are there, instead of being refused. */
  wait_for_kyc: boolean;
  now: Date;
}

export type Placed =
  | { kind: 'placed'; order: Order }
  | { kind: 'kyc_required'; missing: readonly string[] }
  | { kind: 'not_available' | 'terms_required' | 'no_money' | 'too_many_waiting' | BuyerRefusal };

/**
 * Orders a number: all that is needed is there and the price is taken, or nothing is done. The price is taken before the provider is
 * asked, so that nobody is asked for what cannot be paid, and all of it is given back where the number does not come to work.
 */
export async function placeOrder(tx: Transaction, wish: OrderWish, ports: BuyerPorts): Promise<Placed> {
  const { order_id, account_id, number, now } = wish;
  if ((await lockNumber(tx, number)) === null) return { kind: 'not_available' };
  const before = await selectOrder(tx, order_id);
  if (before !== null) {
    mustBeOfAccount(before.account_id, account_id);
    return { kind: 'placed', order: before };
  }
  const offer = await selectOffer(tx, number, account_id, now);
  if (offer === null) return { kind: 'not_available' };
  const buyer = await selectBuyer(tx, account_id, offer.currency, now);
  const allowed = mayBuy(buyer);
  if ('refusal' in allowed) return { kind: allowed.refusal };
  if (!(await ports.termsAccepted(tx, account_id, now))) return { kind: 'terms_required' };
  const price = await priceToday(tx, offer, allowed.currency, now);
  if (price === null) return { kind: 'no_rate' };
  const order = orderOf(wish, offer.provider, price, { ...allowed, tax_ppm: buyer.tax_ppm });
  const question = { account_id, country: offer.country, number_type: offer.number_type, now };
  const missing = await ports.missingDocuments(tx, question);
  if (missing.length > 0) {
    if (!wish.wait_for_kyc) return { kind: 'kyc_required', missing };
    return waitForDocuments(tx, order);
  }
  if (!(await chargeOrder(tx, order, now))) return { kind: 'no_money' };
  const paid: Order = { ...order, state: 'provisioning', provisioning_since: now };
  await insertOrder(tx, paid);
  await beginProvisioning(tx, paid);
  return { kind: 'placed', order: paid };
}

async function waitForDocuments(tx: Transaction, order: Order): Promise<Placed> {
  // Two of the same account would each count the other's not.
  await tx.query('select pg_advisory_xact_lock(hashtextextended($1, 24))', [order.account_id]);
  const waiting = await waitingOrders(tx, order.account_id);
  if (waiting.length >= PENDING_KYC_MAX) return { kind: 'too_many_waiting' };
  const kept: Order = { ...order, state: 'pending_kyc' };
  await insertOrder(tx, kept);
  await dropOwnHold(tx, order);
  await tellCustomer(tx, order.account_id, { type: 'order', id: order.id, state: kept.state });
  return { kind: 'placed', order: kept };
}

/** False where the wallet holds too little. */
export async function chargeOrder(tx: Transaction, order: Order, now: Date): Promise<boolean> {
  const { setup_micros, monthly_micros, setup_tax_micros, monthly_tax_micros } = order;
  const verdict = await chargeWallet(tx, {
    ...{ kind: 'purchase', ref: order.id, wallet_id: order.wallet_id, now },
    net_micros: setup_micros + monthly_micros,
    tax_micros: setup_tax_micros + monthly_tax_micros,
    content: {
      ...{ what: 'number', number: order.number, order_id: order.id, currency: order.currency },
      ...{ setup_micros: setup_micros.toString(), setup_tax_micros: setup_tax_micros.toString() },
      ...{ monthly_micros: monthly_micros.toString(), monthly_tax_micros: monthly_tax_micros.toString() },
      ...conversionWords(order.converted),
    },
    policy_version: PAYMENT_POLICY.version,
  });
  if (verdict === 'conflict' || verdict === 'no_wallet') {
    throw new Error(`Order ${order.id} cannot be charged: ${verdict}.`);
  }
  return verdict !== 'no_money';
}

/** What follows once an order is paid. */
export async function beginProvisioning(tx: Transaction, order: Order): Promise<void> {
  await dropOwnHold(tx, order);
  await tellCustomer(tx, order.account_id, { type: 'order', id: order.id, state: 'provisioning' });
  await driveSoon(tx, order.id);
}

/** Looked at at once, though it may be waiting for its next turn. */
export function driveSoon(tx: Transaction, order_id: string): Promise<void> {
  return enqueue(tx, { task: 'drive_number_order', payload: { order_id }, key: `number_order:${order_id}` });
}

async function dropOwnHold(tx: Transaction, { number }: Order): Promise<void> {
  await tx.query('delete from number_hold where number = $1', [number]);
}

function orderOf(
  wish: OrderWish,
  provider: string,
  { currency, setup_micros, monthly_micros, converted }: WalletPrice,
  { wallet_id, tax_ppm }: { wallet_id: bigint; tax_ppm: number },
): Order {
  const { order_id: id, account_id, number, now } = wish;
  return {
    ...{ id, account_id, number, wallet_id, state: 'ordered', provider, currency },
    ...{ setup_micros, setup_tax_micros: withTax(setup_micros, tax_ppm).tax },
    ...{ monthly_micros, monthly_tax_micros: withTax(monthly_micros, tax_ppm).tax },
    ...{ ordered_at: now, state_since: now, provisioning_since: null, failure: null, converted },
  };
}
