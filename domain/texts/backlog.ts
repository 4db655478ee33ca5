import type { Queryable } from '../db/transaction.ts';

/** How many there are of what somebody may have to look at. */
export interface Backlog {
  /** Texts that were not looked at by a gateway yet, wait for a carrier, are in a gateway's hands, are held for a person, are in doubt. */
  unscreened: number;
  waiting: number;
  claimed: number;
  held: number;
  in_doubt: number;
  /** Receipts whose text is not known. */
  parked: number;
  /** Receipts that nobody could read. */
  unreadable: number;
  /** What customers could not be told. */
  dead_letters: number;
}

/** A figure for an operator, not a condition of anything: it may be some seconds old. */
export async function selectBacklog(db: Queryable): Promise<Backlog> {
  const { rows } = await db.query<Backlog>({
    name: 'select_backlog',
    text: `select count(*) filter (where state = 'u')::integer as unscreened, count(*) filter (where state = 'w')::integer as waiting,
                  count(*) filter (where state = 'c')::integer as claimed, count(*) filter (where state = 'h')::integer as held,
                  count(*) filter (where state = 'd')::integer as in_doubt,
                  (select count(*)::integer from parked_receipt) as parked,
                  (select count(*)::integer from unreadable_receipt) as unreadable,
                  (select count(*)::integer from customer_delivery where dead_at is not null) as dead_letters
             from message_queue`,
  });
  const [row] = rows;
  if (row === undefined) throw new Error('A count has one row.');
  return row;
}

/** What customers are still to be told over one of the channels. */
export interface DeliveryBacklog {
  channel: 'webhook' | 'smpp';
  waiting: number;
  /** For how long the oldest has been due; 0 where none is. */
  oldest_due_seconds: number;
}

/** Of each channel; as old as the other figure. */
export async function selectDeliveryBacklog(db: Queryable, now: Date): Promise<DeliveryBacklog[]> {
  const { rows } = await db.query<DeliveryBacklog>({
    name: 'select_delivery_backlog',
    text: `select c.channel, d.waiting, d.oldest_due_seconds
             from unnest(array['webhook', 'smpp']) c (channel), lateral (
                    select count(*)::integer as waiting,
                           greatest(extract(epoch from $1 - min(x.due_at)), 0)::double precision as oldest_due_seconds
                      from customer_delivery x where x.channel = c.channel and x.dead_at is null) d`,
    values: [now],
  });
  return rows;
}
