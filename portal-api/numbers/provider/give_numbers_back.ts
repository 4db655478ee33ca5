import type { Queryable } from '../../../domain/db/transaction.ts';
import { enqueue } from '../../jobs/task.ts';
import type { NumbersDesk } from '../numbers_desk.ts';
import { selectOrder } from '../orders/order_rows.ts';
import { recordDeletion } from './submissions.ts';

const AT_ONCE = 500;

/** Once for an order, however often it is asked for while it waits. */
export function releaseSoon(db: Queryable, order_id: string): Promise<void> {
  return enqueue(db, { task: 'release_number_order', payload: { order_id }, key: `release_number_order:${order_id}` });
}

/** Gives what was ordered back to its provider, who is to forget whom it was for. */
export async function giveBackOrdered({ pool, providers, now }: NumbersDesk, order_id: string): Promise<void> {
  const order = await selectOrder(pool, order_id);
  if (order === null) return;
  const provider = providers.get(order.provider);
  if (provider === undefined) throw new Error(`The provider ${order.provider} is not set up here.`);
  await provider.release({ order_id, number: order.number });
  await recordDeletion(pool, order_id, now());
}

/** Whatever was tried too often to be tried again: a provider that was not told is asked until it has answered. */
export async function lookAtNumbersToGiveBack(db: Queryable): Promise<void> {
  for (let after = '00000000-0000-0000-0000-000000000000'; ;) {
    const order_ids = await notGivenBack(db, after, AT_ONCE);
    for (const order_id of order_ids) await releaseSoon(db, order_id);
    const last = order_ids.at(-1);
    if (last === undefined || order_ids.length < AT_ONCE) return;
    after = last;
  }
}

/**
 * Orders of which a provider still knows a holder, though they have failed, or nobody has their number any more. By an older order of a
 * number that somebody has, or is to have, nothing is given back.
 */
async function notGivenBack(db: Queryable, after: string, rows_max: number): Promise<string[]> {
  const { rows } = await db.query<{ order_id: string }>(
    `select distinct s.order_id from provider_submission s join number_order o on o.id = s.order_id
      where s.deletion_asked_at is null and s.order_id > $1
        and (o.state = 'failed'
             or o.state = 'active'
               and exists (select from number_holding h where h.number = o.number and h.held_to >= o.state_since)
               and not exists (select from number_holding h where h.number = o.number and h.held_to is null)
               and not exists (select from number_order l where l.number = o.number and l.state_since > o.state_since
                                  and l.state not in ('failed', 'cancelled')))
      order by s.order_id limit $2`,
    [after, rows_max],
  );
  return rows.map(({ order_id }) => order_id);
}
