import type { Queryable } from '../../../domain/db/transaction.ts';
import type { FinalState } from '../../../domain/texts/message.ts';
import type { ToldText } from './told_text.ts';

/** A delivery that is ours until `taken_until`; then whoever looks next takes it again. */
export interface TakenDelivery {
  id: bigint;
  kind: 'receipt' | 'text';
  system_id: string;
  /** Failures so far. */
  failures: number;
  /** When it should have been attempted. */
  due_at: Date;
  taken_until: Date;
  /** Null where the text is no longer stored. */
  text: ToldText | null;
}

export interface TakeWishes {
  now: Date;
  taken_until: Date;
  /** How many each may be given. */
  rooms: ReadonlyMap<string, number>;
}

interface Row {
  id: string;
  kind: 'receipt' | 'text';
  system_id: string;
  failures: number;
  due_at: Date;
  message_id: string | null;
  sender: string;
  recipient: string;
  body: string | null;
  encoding: ToldText['encoding'];
  client_ref: string | null;
  accepted_at: Date;
  state: FinalState | null;
  error: string | null;
  ended_at: Date | null;
}

/** To take is to move `due_at` forward: a process that dies afterwards has lost nothing, only time. */
const text = `
  with asked as (
    select a.system_id, a.room from unnest($3::text[], $4::integer[]) as a (system_id, room)
  ), due as (
    select d.id from asked a
     cross join lateral (
       select c.id from customer_delivery c
        where c.channel = 'smpp' and c.dead_at is null and c.target = a.system_id and c.due_at <= $1
        order by c.due_at, c.id limit a.room) d
  ), locked as (
    select c.id, c.due_at from customer_delivery c
     where c.id in (select id from due) and c.dead_at is null and c.due_at <= $1 for update skip locked
  ), taken as (
    update customer_delivery c set due_at = $2 from locked where c.id = locked.id
    returning c.id, c.kind, c.target, c.attempts, c.message_id, locked.due_at as was_due_at)
  select t.id, t.kind, t.target as system_id, t.attempts as failures, t.was_due_at as due_at,
         m.id as message_id, m.sender, m.recipient, m.body, m.encoding, m.client_ref, m.accepted_at, f.state, f.error, f.at as ended_at
    from taken t
    left join message m on m.id = t.message_id
    left join message_event f on f.message_id = t.message_id and f.kind = 'final'
   order by t.was_due_at, t.id`;

/** Takes what is due for those binds, in its order. */
export async function takeDueDeliveries(
  db: Queryable,
  { now, taken_until, rooms }: TakeWishes,
): Promise<TakenDelivery[]> {
  const { rows } = await db.query<Row>({
    name: 'take_due_deliveries_of_binds',
    text,
    values: [now, taken_until, [...rooms.keys()], [...rooms.values()]],
  });
  return rows.map((row) => ({
    id: BigInt(row.id),
    kind: row.kind,
    system_id: row.system_id,
    failures: row.failures,
    due_at: row.due_at,
    taken_until,
    text: row.message_id === null ? null : textOf(row, row.message_id),
  }));
}

function textOf(row: Row, id: string): ToldText {
  const { sender, recipient, body, encoding, client_ref, accepted_at } = row;
  return {
    ...{ id, sender, recipient, body, encoding, client_ref, accepted_at },
    ended:
      row.state === null || row.ended_at === null ? null : { state: row.state, error: row.error, at: row.ended_at },
  };
}

/** Gives back what was taken and never sent: it is due as it was, and nothing has failed. */
export async function giveBackDeliveries(db: Queryable, deliveries: readonly TakenDelivery[]): Promise<void> {
  await db.query({
    name: 'give_back_deliveries',
    text: `update customer_delivery d set due_at = g.due_at
             from unnest($1::bigint[], $2::timestamptz[], $3::timestamptz[]) as g (id, taken_until, due_at)
            where d.id = g.id and d.due_at = g.taken_until and d.dead_at is null`,
    values: [
      deliveries.map(({ id }) => id.toString()),
      deliveries.map(({ taken_until }) => taken_until),
      deliveries.map(({ due_at }) => due_at),
    ],
  });
}
