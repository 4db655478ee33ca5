import type { Queryable } from '../../domain/db/transaction.ts';
import type { FinalState } from '../../domain/texts/message.ts';
import type { ToldMessage } from './payload.ts';

/** A delivery that is ours until `taken_until`; then whoever looks next takes it again. */
export interface TakenDelivery {
  id: bigint;
  kind: 'receipt' | 'text';
  endpoint_id: string;
  /** Failures so far. */
  failures: number;
  /** When it should have been attempted. */
  due_at: Date;
  taken_until: Date;
  /** Null where the endpoint was removed or switched off. */
  endpoint: { url: string; secrets: readonly string[] } | null;
  /** Null where the text is no longer stored. */
  message: ToldMessage | null;
}

export interface TakeWishes {
  now: Date;
  taken_until: Date;
  rows_max: number;
  /** How many of one endpoint, and of those endpoints that have room for another number. */
  rows_max_per_endpoint: number;
  rooms: ReadonlyMap<string, number>;
}

interface Row {
  id: string;
  kind: 'receipt' | 'text';
  target: string;
  attempts: number;
  was_due_at: Date;
  url: string | null;
  secrets: string[];
  message_id: string | null;
  client_ref: string | null;
  accepted_at: Date;
  sender: string;
  recipient: string;
  body: string | null;
  encoding: ToldMessage['encoding'];
  segments: number;
  keyword: ToldMessage['keyword'];
  charge_micros: string;
  currency: string | null;
  state: FinalState | null;
  error: string | null;
  ended_at: Date | null;
}

/**
 * Walks from one endpoint that has deliveries to the next, so that the backlog of one costs the others nothing, and takes
 * from each what it has room for. To take is to move `due_at` forward: a process that dies afterwards has lost nothing,
 * only time.
 */
const text = `
  with recursive endpoints (target) as (
    (select d.target from customer_delivery d where d.channel = 'webhook' and d.dead_at is null order by d.target limit 1)
    union all
    select (select d.target from customer_delivery d
             where d.channel = 'webhook' and d.dead_at is null and d.target > e.target order by d.target limit 1)
      from endpoints e where e.target is not null
  ), due as (
    select d.id, d.due_at
      from endpoints e
      left join unnest($5::text[], $6::integer[]) as known (target, room) using (target)
     cross join lateral (
       select c.id, c.due_at from customer_delivery c
        where c.channel = 'webhook' and c.dead_at is null and c.target = e.target and c.due_at <= $1
        order by c.due_at, c.id limit coalesce(known.room, $4)) d
     where e.target is not null
     order by d.due_at, d.id limit $3
  ), locked as (
    select c.id, c.due_at from customer_delivery c
     where c.id in (select id from due) and c.dead_at is null and c.due_at <= $1 for update skip locked
  ), taken as (
    update customer_delivery c set due_at = $2 from locked where c.id = locked.id
    returning c.id, c.kind, c.target, c.attempts, c.message_id, locked.due_at as was_due_at)
  select t.id, t.kind, t.target, t.attempts, t.was_due_at, e.url,
         -- One that was replaced signs beside the new one for a while.
         array_remove(array[e.secret, case when e.old_secret_until > $1 then e.old_secret end], null) as secrets,
         m.id as message_id, m.client_ref, m.accepted_at, m.sender, m.recipient, m.body, m.encoding, m.segments, m.keyword,
         m.net_micros + m.tax_micros as charge_micros, m.currency, f.state, f.error, f.at as ended_at
    from taken t
    left join webhook_endpoint e on e.id = t.target::uuid and e.enabled
    left join message m on m.id = t.message_id
    left join message_event f on f.message_id = t.message_id and f.kind = 'final'
   order by t.id`;

/** Takes what is due, in the order of their ids. */
export async function takeDueDeliveries(db: Queryable, wishes: TakeWishes): Promise<TakenDelivery[]> {
  const { now, taken_until, rows_max, rows_max_per_endpoint, rooms } = wishes;
  const { rows } = await db.query<Row>({
    name: 'take_due_deliveries',
    text,
    values: [now, taken_until, rows_max, rows_max_per_endpoint, [...rooms.keys()], [...rooms.values()]],
  });
  return rows.map((row) => ({
    id: BigInt(row.id),
    kind: row.kind,
    endpoint_id: row.target,
    failures: row.attempts,
    due_at: row.was_due_at,
    taken_until,
    endpoint: row.url === null ? null : { url: row.url, secrets: row.secrets },
    message: row.message_id === null ? null : messageOf(row, row.message_id),
  }));
}

function messageOf(row: Row, id: string): ToldMessage {
  const { client_ref, accepted_at, sender, recipient, body, encoding, segments, keyword } = row;
  return {
    ...{ id, client_ref, accepted_at, sender, recipient, body, encoding, segments, keyword },
    charge: row.currency === null ? null : { micros: BigInt(row.charge_micros), currency: row.currency },
    ended:
      row.state === null || row.ended_at === null ? null : { state: row.state, error: row.error, at: row.ended_at },
  };
}
