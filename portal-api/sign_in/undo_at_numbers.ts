import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { lockNumber } from '../numbers/lock_number.ts';
import { movePortOut } from '../numbers/moving/port_out.ts';
import type { NumberTraces } from './disowned_traces.ts';

/** A holding or an offer of one, and whose it is. */
export interface AtNumber {
  id: string;
  account_id: string;
}

/** To be called before anything of them is undone, as whoever changes a number takes its row first. */
export async function lockTouched(
  tx: Transaction,
  { forwards, text_routes, transfers, port_pins }: NumberTraces,
): Promise<void> {
  const { rows } = await tx.query<{ number: string }>(
    `select h.number from number_holding h where h.id = any ($1::uuid[]) and h.held_to is null
     union
     select t.number from number_transfer t where t.id = any ($2::uuid[]) and t.state = 'offered'
      order by number`,
    [[...forwards, ...text_routes, ...port_pins], [...transfers]],
  );
  for (const { number } of rows) await lockNumber(tx, number);
}

/** Calls go on to nobody any more: where they went before is not on record, as it is somebody's number. */
export async function endForwards(tx: Queryable, { forwards }: NumberTraces): Promise<AtNumber[]> {
  const { rows } = await tx.query<AtNumber>(
    `with ended as (
       update did d set forward_to = null, forward_when = null from number_holding h
        where h.id = any ($1::uuid[]) and h.held_to is null and d.number = h.number and d.forward_to is not null
       returning h.id
     )
     update number_holding h set version = version + 1 from ended where h.id = ended.id returning h.id, h.account_id`,
    [[...forwards]],
  );
  return rows;
}

/** Texts go where they went when that sign-in came, as far as those webhooks are still there. */
export async function setTextRoutesBack(
  tx: Queryable,
  { text_routes }: NumberTraces,
  since: Date,
): Promise<AtNumber[]> {
  const { rows } = await tx.query<AtNumber>(
    `with first as (
       select distinct on (h.id) h.id, h.number, h.account_id, l.detail -> 'before' as before
         from number_holding h join audit_log l
           on l.account_id = h.account_id and l.action = 'number.route_texts' and l.subject = 'number_holding:' || h.id and l.at >= $2
        where h.id = any ($1::uuid[]) and h.held_to is null
        order by h.id, l.seq
     ), wanted as (
       select f.id, f.number, f.account_id, jsonb_typeof(f.before) = 'array' as is_chosen,
              array(select w.id from webhook_endpoint w
                     where w.account_id = f.account_id and jsonb_typeof(f.before) = 'array' and f.before ? w.id::text order by w.id) as ids
         from first f
     ), changed as (
       select w.* from wanted w join did d using (number)
        where d.texts_to_chosen <> w.is_chosen
           or array(select n.endpoint_id from number_webhook n where n.number = w.number order by n.endpoint_id) <> w.ids
     ), dropped as (
       delete from number_webhook n using changed c where n.number = c.number and n.endpoint_id <> all (c.ids)
     ), kept as (
       insert into number_webhook (number, endpoint_id) select c.number, unnest(c.ids) from changed c on conflict do nothing
     ), told as (
       update did d set texts_to_chosen = c.is_chosen from changed c where d.number = c.number
     )
     update number_holding h set version = version + 1 from changed c where h.id = c.id returning h.id, h.account_id`,
    [[...text_routes], since],
  );
  return rows;
}

/** One that was accepted already is for support to look at: its new holder has paid for it. */
export async function withdrawTransfers(tx: Queryable, now: Date, { transfers }: NumberTraces): Promise<AtNumber[]> {
  const { rows } = await tx.query<AtNumber>(
    `update number_transfer set state = 'withdrawn', decided_at = $2
      where id = any ($1::uuid[]) and state = 'offered' returning id, from_account_id as account_id`,
    [[...transfers], now],
  );
  return rows;
}

/** Nobody can ask for the number by that PIN, and whoever has done so does not get it. */
export async function dropPortPins(
  tx: Transaction,
  now: Date,
  { port_pins }: NumberTraces,
  since: Date,
): Promise<AtNumber[]> {
  const { rows } = await tx.query<AtNumber>(
    `update number_holding set port_pin_hmac = null, port_pin_tries_left = 0
      where id = any ($1::uuid[]) and held_to is null and port_pin_hmac is not null returning id, account_id`,
    [[...port_pins]],
  );
  const asked = await tx.query<{ id: string }>(
    `select id from port_out
      where holding_id = any ($1::uuid[]) and state in ('requested', 'approved') and requested_at >= $2 order by id`,
    [[...port_pins], since],
  );
  const reason = 'The PIN was made by a sign-in that was not its holder.';
  for (const { id } of asked.rows) await movePortOut(tx, id, { event: 'object', reason, now });
  return rows;
}
