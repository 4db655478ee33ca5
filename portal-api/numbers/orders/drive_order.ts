import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { giveBack } from '../../../domain/ledger/give_back.ts';
import { tellCustomer } from '../../live/tell_customer.ts';
import { cashCame } from '../../payments/cash_came.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { insertHolding, insertPeriod } from '../holdings/holding_rows.ts';
import { monthLater } from '../holdings/period.ts';
import { lockNumber, setNumber } from '../lock_number.ts';
import { ProviderAway } from '../provider/number_provider.ts';
import type { NumberProvider, NumberProviders, ProviderStatus } from '../provider/number_provider.ts';
import { releaseSoon } from '../provider/give_numbers_back.ts';
import { recordSubmission, requiredFields } from '../provider/submissions.ts';
import type { HolderSource } from '../provider/submissions.ts';
import { PROVISIONING_MAX_MS } from '../terms.ts';
import { isPaid, nextOrderState } from './order_state.ts';
import type { OrderEvent } from './order_state.ts';
import { moveOrder, selectOrder } from './order_rows.ts';
import type { Order } from './order_rows.ts';

export interface OrderDriving extends HolderSource {
  pool: pg.Pool;
  providers: NumberProviders;
  now: () => Date;
}

/**
 * Brings an order as far as its provider has come. What the provider says is asked for outside any transaction, and obeyed in one that
 * sees the order as it is by then; so several may do this at once, and a message that comes late or twice does no harm.
 */
export async function driveOrder(driving: OrderDriving, order_id: string): Promise<void> {
  const found = await selectOrder(driving.pool, order_id);
  if (found?.state === 'failed') return releaseIfSupplied(driving, found);
  for (;;) {
    const order = await selectOrder(driving.pool, order_id);
    if (order === null || (order.state !== 'provisioning' && order.state !== 'testing')) return;
    const verdict = await judgeOrder(driving, order);
    if (verdict === null) return releaseIfGivenUp(driving.pool, order_id);
    await inTransaction(driving.pool, (tx) => applyVerdict(tx, order, verdict, driving.now()));
  }
}

/** An order that was given up while its provider was asked: the provider may have heard of it only after it was asked to forget it. */
async function releaseIfGivenUp(db: Queryable, order_id: string): Promise<void> {
  const order = await selectOrder(db, order_id);
  if (order?.state === 'failed') await releaseSoon(db, order_id);
}

/** An order that was given up long ago, and of which its provider told something since: what it has for nobody, it is to take back. */
async function releaseIfSupplied({ pool, providers }: OrderDriving, order: Order): Promise<void> {
  if (order.provisioning_since === null) return;
  const provider = providers.get(order.provider);
  if (provider === undefined) throw new ProviderAway(`The provider ${order.provider} is not set up here.`);
  const { state } = await provider.status(order.id);
  if (state === 'supplied' || state === 'working') await releaseSoon(pool, order.id);
}

interface Verdict {
  event: OrderEvent;
  failure: string | null;
}

/** Null: the provider is still at it. */
async function judgeOrder(driving: OrderDriving, order: Order): Promise<Verdict | null> {
  const { providers, now } = driving;
  const provider = providers.get(order.provider);
  const is_late = now().getTime() - (order.provisioning_since ?? now()).getTime() >= PROVISIONING_MAX_MS;
  const late: Verdict = { event: 'refused', failure: 'too_late' };
  // Its adapter is not set up in this process; another one's may be.
  if (provider === undefined) {
    if (is_late) return late;
    throw new ProviderAway(`The provider ${order.provider} is not set up here.`);
  }
  try {
    const verdict = verdictOf(await askProvider(driving, provider, order), order);
    return verdict ?? (is_late ? late : null);
  } catch (error) {
    if (is_late && error instanceof ProviderAway) return late;
    throw error;
  }
}

async function askProvider(driving: OrderDriving, provider: NumberProvider, order: Order): Promise<ProviderStatus> {
  if (order.state === 'testing') return provider.status(order.id);
  const fields = await requiredFields(driving, order);
  const { id: order_id, provider: code, account_id } = order;
  const submission = { order_id, provider: code, account_id, transfer_id: null };
  await recordSubmission(driving.pool, submission, fields, driving.now());
  return provider.provision({ order_id: order.id, number: order.number, fields });
}

function verdictOf(status: ProviderStatus, { state }: Order): Verdict | null {
  switch (status.state) {
    case 'working':
      return null;
    case 'refused':
      return { event: 'refused', failure: status.reason.slice(0, 200) || 'refused' };
    case 'supplied':
      if (state === 'provisioning') return { event: 'supplied', failure: null };
      if (status.reachable === null) return null;
      return status.reachable ? { event: 'tested', failure: null } : { event: 'refused', failure: 'not_reachable' };
  }
}

async function applyVerdict(tx: Transaction, seen: Order, verdict: Verdict, now: Date): Promise<void> {
  const locked = await lockNumber(tx, seen.number);
  const order = await selectOrder(tx, seen.id);
  // Whoever came first has moved it on.
  if (order?.state === 'failed') await releaseIfGivenUp(tx, order.id);
  if (order === null || locked === null || order.state !== seen.state) return;
  const next = nextOrderState(order.state, verdict.event);
  if (next === null) return;
  if (next === 'failed') {
    await failOrder(tx, order, verdict.failure ?? 'refused', now);
  } else if (next === 'active' && locked.state !== 'free') {
    await failOrder(tx, order, 'number_taken', now);
  } else {
    await moveOrder(tx, order, next, { now });
    if (next === 'active') await beginHolding(tx, order, now);
    await tellOrder(tx, order, next);
  }
}

/** Ends an order that did not work, with all that it cost given back. Its number's row is locked. */
export async function failOrder(tx: Transaction, order: Order, failure: string, now: Date): Promise<void> {
  await moveOrder(tx, order, 'failed', { now, failure });
  if (isPaid(order.state)) {
    await refundOrder(tx, order, failure, now);
    await releaseSoon(tx, order.id);
  }
  await tellOrder(tx, order, 'failed');
}

async function refundOrder(tx: Transaction, order: Order, failure: string, now: Date): Promise<void> {
  const verdict = await giveBack(tx, {
    ...{ ref: order.id, charge_kind: 'purchase', charge_ref: order.id },
    net_micros: order.setup_micros + order.monthly_micros,
    tax_micros: order.setup_tax_micros + order.monthly_tax_micros,
    content: { what: 'number_order_failed', number: order.number, order_id: order.id, failure },
  });
  if (verdict !== 'posted') throw new Error(`Order ${order.id} could not be refunded: ${verdict}.`);
  await cashCame(tx, order, order.id, now);
}

async function tellOrder(tx: Transaction, order: Order, state: Order['state']): Promise<void> {
  await tellCustomer(tx, order.account_id, { type: 'order', id: order.id, state });
  if (state !== 'active' && state !== 'failed') return;
  await queueNotice(tx, {
    to: { account_id: order.account_id },
    template: 'order_state',
    facts: { number: order.number, state },
  });
}

/** The number works for its holder from the commit on; what was paid counts from now. */
async function beginHolding(tx: Transaction, order: Order, now: Date): Promise<void> {
  const { number, account_id, wallet_id, currency, monthly_micros } = order;
  const [id, anchor_day] = [randomUUID(), now.getUTCDate()];
  const paid_until = monthLater(now, anchor_day);
  await setNumber(tx, number, { state: 'active', account_id });
  await tellCustomer(tx, account_id, { type: 'number', id: number, state: 'active' });
  const price = { currency, monthly_micros, converted: order.converted };
  const holding = { id, number, account_id, wallet_id, ...price, anchor_day, paid_until };
  await insertHolding(
    tx,
    { ...holding, state: 'active', state_since: now, held_from: now, held_to: null, periods: 1, version: 1 },
    order.id,
  );
  await insertPeriod(tx, id, {
    ...{ period_no: 1, starts_at: now, ends_at: paid_until, charge_kind: 'purchase', charge_ref: order.id },
    ...{ net_micros: order.monthly_micros, tax_micros: order.monthly_tax_micros },
  });
}
