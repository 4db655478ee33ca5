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
import { saveTransfer, selectTransfer, tellingOf } from './transfer_rows.ts';
import type { Transfer } from './transfer_rows.ts';

/** Looked at at once, though it may be waiting for its next turn. */
export function tellSoon(tx: Queryable, transfer_id: string): Promise<void> {
  return enqueue(tx, { task: 'tell_number_transfer', payload: { transfer_id }, key: `number_transfer:${transfer_id}` });
}

/** To be called where a provider told of an order: transfers that wait for it are looked at. */
export async function tellTransfersOf(tx: Queryable, order_id: string): Promise<void> {
  for (const id of await tellingOf(tx, order_id)) await tellSoon(tx, id);
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
 * obeyed in one that sees the transfer as it is by then; so several may do this at once. Throws where it does not answer, to be done again.
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
  const fields = await requiredFields(pool, { number: order.number, provider: order.provider, account_id });
  const submission = { order_id: order.id, provider: order.provider, account_id, transfer_id };
  await recordSubmission(pool, submission, fields, now());
  const change_id = is_back ? operationIdOf('number_transfer_back', transfer_id) : transfer_id;
  const answer = await provider.changeHolder({ order_id: order.id, number: order.number, change_id, fields });
  if (answer.state === 'refused' && is_back) {
    throw new ProviderAway(`The provider ${order.provider} does not take the holder back: ${answer.reason}.`);
  }
  if (answer.state !== 'working') await obey(driving, transfer, answer, account_id);
}

/** @param told of whom the provider was told; null: of nobody. */
function obey({ pool, now }: OrderDriving, seen: Transfer, answer: HolderChange, told: string | null): Promise<void> {
  return inTransaction(pool, async (tx) => {
    await lockNumber(tx, seen.number);
    const transfer = await selectTransfer(tx, seen.id);
    // Whoever came first has moved it on.
    if (transfer?.provider_state !== seen.provider_state || transfer.order_id === null) return;
    const at = now();
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
    if (told !== null) await recordReplaced(tx, transfer.order_id, told, at);
    if (transfer.state === 'with_provider') return complete(tx, transfer, at);
    const provider_state = transfer.provider_state === 'telling' ? 'told' : 'told_back';
    await saveTransfer(tx, { ...transfer, provider_state, provider_since: at });
  });
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
    'refusal' in taking ? taking.refusal : (await isTransferable(tx, holding)) ? null : 'not_transferable';
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
  await tellSoon(tx, transfer.id);
  await tellRefusal(tx, given_up);
  return given_up;
}

async function tellRefusal(tx: Transaction, { number, from_account_id, to_account_id }: Transfer): Promise<void> {
  for (const account_id of [from_account_id, to_account_id]) {
    if (account_id === null) continue;
    const facts = { number, state: 'not handed over', reason: 'It stays with its holder.' };
    await queueNotice(tx, { to: { account_id }, template: 'order_state', facts });
  }
}
