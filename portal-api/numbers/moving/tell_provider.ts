import { inTransaction } from '../../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../../domain/db/transaction.ts';
import { operationIdOf } from '../../http/idempotency.ts';
import { enqueue } from '../../jobs/task.ts';
import { queueNotice } from '../../notices/queue_notice.ts';
import { openHolding } from '../holdings/holding_rows.ts';
import { lockNumber } from '../lock_number.ts';
import type { OrderDriving } from '../orders/drive_order.ts';
import { selectOrder } from '../orders/order_rows.ts';
import { ProviderAway } from '../provider/number_provider.ts';
import type { HolderChange } from '../provider/number_provider.ts';
import { recordRefused, recordReplaced, recordSubmission, requiredFields } from '../provider/submissions.ts';
import { handOver, isTransferable, mayTake } from './hand_over.ts';
import { lastDecided, saveTransfer, selectTransfer, tellingOf } from './transfer_rows.ts';
import type { Transfer } from './transfer_rows.ts';

/**
 * Looked at at once, though it may be waiting for its next turn. Those of one number are told one after another: a provider that is slow
 * with one would else hear it after the next one, and keep the wrong holder.
 */
export function tellSoon(tx: Queryable, { id, number }: Pick<Transfer, 'id' | 'number'>): Promise<void> {
  return enqueue(tx, {
    ...{ task: 'tell_number_transfer', payload: { transfer_id: id }, key: `number_transfer:${id}` },
    queue: `number_transfer:${number}`,
  });
}

/** To be called where a provider told of an order: transfers that wait for it are looked at. */
export async function tellTransfersOf(tx: Queryable, order_id: string): Promise<void> {
  for (const transfer of await tellingOf(tx, order_id)) await tellSoon(tx, transfer);
}

/** Whom the provider is to know as the holder by this transfer; null where somebody else has the number by now. */
async function holderToTell(db: Queryable, transfer: Transfer): Promise<string | null> {
  const is_back = transfer.provider_state === 'telling_back';
  const account_id = is_back ? transfer.from_account_id : transfer.to_account_id;
  const holding = await openHolding(db, transfer.number);
  const holder = transfer.state === 'with_provider' ? transfer.from_account_id : account_id;
  return holding?.account_id === holder ? account_id : null;
}

/**
 * Tells a provider of the holder that a number has, or is to have, and obeys what it answers. It is asked outside any transaction, and
 * obeyed in one that sees the transfer as it is by then; so several may do this at once,
 * and where one was overtaken by another the provider is told once more. Throws where it does not answer, to be done again.
 */
export async function tellTransfer(driving: OrderDriving, transfer_id: string): Promise<void> {
  const { pool, providers, now } = driving;
  const transfer = await selectTransfer(pool, transfer_id);
  if (transfer?.provider_state !== 'telling' && transfer?.provider_state !== 'telling_back') return;
  const order = transfer.order_id === null ? null : await selectOrder(pool, transfer.order_id);
  if (order === null) throw new Error(`Transfer ${transfer_id} is to be told by an order that there is not.`);
  const account_id = await holderToTell(pool, transfer);
  // Who has it now is told by what gave it to him.
  if (account_id === null) return obey(driving, transfer, { state: 'accepted' }, null);
  const provider = providers.get(order.provider);
  if (provider === undefined) throw new ProviderAway(`The provider ${order.provider} is not set up here.`);
  const is_back = transfer.provider_state === 'telling_back';
  const fields = await requiredFields(driving, { number: order.number, provider: order.provider, account_id });
  const submission = { order_id: order.id, provider: order.provider, account_id, transfer_id };
  await recordSubmission(pool, submission, fields, now());
  const change_id = changeIdOf(transfer);
  const answer = await provider.changeHolder({ order_id: order.id, number: order.number, change_id, fields });
  if (answer.state === 'refused' && is_back) {
    throw new ProviderAway(`The provider ${order.provider} does not take the holder back: ${answer.reason}.`);
  }
  if (answer.state !== 'working') await obey(driving, transfer, answer, account_id);
}

/** The same however often it is asked, and another one where it is told anew: of a change that it knows a provider says what it said. */
function changeIdOf({ id, provider_state, provider_since }: Transfer): string {
  return operationIdOf(`number_transfer_${provider_state ?? ''}`, `${id}:${provider_since?.toISOString() ?? ''}`);
}

/** @param told of whom the provider was told; null: of nobody. */
function obey({ pool, now }: OrderDriving, seen: Transfer, answer: HolderChange, told: string | null): Promise<void> {
  return inTransaction(pool, async (tx) => {
    await lockNumber(tx, seen.number);
    const transfer = await selectTransfer(tx, seen.id);
    if (transfer === null || transfer.order_id === null) return;
    const at = now();
    const holding = transfer.state === 'with_provider' ? null : await openHolding(tx, transfer.number);
    const is_overtaken = told !== null && answer.state === 'accepted' && (holding?.account_id ?? told) !== told;
    // Else whoever came first has moved it on.
    if (changeIdOf(transfer) === changeIdOf(seen)) await moveOn(tx, transfer, answer, { told, is_overtaken, at });
    // Somebody else has it by now, of whom the provider may have heard before it heard of this one.
    if (is_overtaken) await tellHolderAgain(tx, transfer.order_id, at);
  });
}

async function moveOn(
  tx: Transaction,
  transfer: Transfer,
  answer: HolderChange,
  { told, is_overtaken, at }: { told: string | null; is_overtaken: boolean; at: Date },
): Promise<void> {
  if (answer.state === 'refused') {
    await recordRefused(tx, transfer.id, at);
    const is_over = transfer.state === 'with_provider';
    await saveTransfer(tx, {
      ...{ ...transfer, provider_state: 'refused', provider_since: at, failure: answer.reason },
      ...(is_over ? { state: 'refused', decided_at: at } : {}),
    });
    if (is_over) await tellRefusal(tx, transfer);
    return;
  }
  // Of one who was overtaken the provider is to forget, and not of the holder that it has to know.
  if (told !== null && !is_overtaken && transfer.order_id !== null) {
    await recordReplaced(tx, transfer.order_id, told, at);
  }
  if (transfer.state === 'with_provider') return complete(tx, transfer, at);
  const provider_state = transfer.provider_state === 'telling' ? 'told' : 'told_back';
  await saveTransfer(tx, { ...transfer, provider_state, provider_since: at });
}

async function tellHolderAgain(tx: Transaction, order_id: string, now: Date): Promise<void> {
  const last = await lastDecided(tx, order_id);
  if (last === null) return;
  await saveTransfer(tx, {
    ...{ ...last, provider_since: now },
    ...(last.state === 'done' ? { provider_state: 'telling', failure: null } : { provider_state: 'telling_back' }),
  });
  await tellSoon(tx, last);
}

/** The provider has agreed: the number is handed over, or, where that cannot be any more, the provider hears that it was not. */
async function complete(tx: Transaction, transfer: Transfer, now: Date): Promise<void> {
  const { to_account_id, new_holding_id } = transfer;
  const holding = await openHolding(tx, transfer.number);
  if (to_account_id === null || new_holding_id === null || holding?.id !== transfer.holding_id) {
    throw new Error(`Transfer ${transfer.id} is with the provider, and its holding is not open.`);
  }
  const taking = await mayTake(tx, holding, to_account_id, now);
  const failure =
    'refusal' in taking ? taking.refusal : (await isTransferable(tx, holding, now)) ? null : 'not_transferable';
  if (failure !== null || 'refusal' in taking) {
    await giveUpTransfer(tx, transfer, failure ?? 'not_transferable', now);
    return;
  }
  await saveTransfer(tx, {
    ...{ ...transfer, state: 'done', decided_at: now },
    ...{ provider_state: 'told', provider_since: now },
  });
  await handOver(tx, holding, { id: new_holding_id, account_id: to_account_id, ...taking, now });
}

/** The number stays with its holder, of whom the provider is told again. Its row is locked. */
export async function giveUpTransfer(
  tx: Transaction,
  transfer: Transfer,
  failure: string,
  now: Date,
): Promise<Transfer> {
  const given_up: Transfer = {
    ...{ ...transfer, state: 'refused', decided_at: now, failure },
    ...{ provider_state: 'telling_back', provider_since: now },
  };
  await saveTransfer(tx, given_up);
  await tellSoon(tx, transfer);
  await tellRefusal(tx, given_up);
  return given_up;
}

async function tellRefusal(tx: Transaction, { number, from_account_id, to_account_id }: Transfer): Promise<void> {
  for (const account_id of [from_account_id, to_account_id]) {
    if (account_id === null) continue;
    await queueNotice(tx, { to: { account_id }, template: 'transfer_refused', facts: { number } });
  }
}
