import type { Queryable } from '../../db/transaction.ts';
import type { MessageClass } from '../message.ts';

/** A text that waits for a person's decision: it was held, or it is not known whether a carrier took it. */
export interface HeldMessage {
  message_id: string;
  account_id: string;
  state: 'held' | 'in_doubt';
  accepted_at: Date;
  /** When it ends by itself, undecided, and its price comes back. */
  valid_until: Date;
  sender: string;
  recipient: string;
  /** Null once it was erased. */
  body: string | null;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  class: MessageClass;
  destination: string | null;
  segments: number;
  net_micros: bigint;
  currency: string | null;
  /** Why, in words. */
  reason: string | null;
}

export interface HeldPage {
  /** The last text of the page before; null for the first page. */
  after: string | null;
  rows_max: number;
  /** Null: of all accounts. */
  account_id: string | null;
}

type HeldRow = Omit<HeldMessage, 'net_micros'> & { net_micros: string };

/** The oldest first. The next page begins after the last text of this one, so what is decided meanwhile moves nothing. */
export async function heldMessages(db: Queryable, page: HeldPage): Promise<HeldMessage[]> {
  const { rows } = await db.query<HeldRow>(
    `select q.message_id, m.account_id, case q.state when 'h' then 'held' else 'in_doubt' end as state, m.accepted_at,
            q.valid_until, m.sender, m.recipient, m.body, m.encoding, m.class, m.destination, m.segments, m.net_micros, m.currency, e.detail as reason
       from message_queue q join message m on m.id = q.message_id
       left join lateral (
         select e.detail from message_event e
          where e.message_id = q.message_id and e.kind = case q.state when 'h' then 'held' else 'in_doubt' end
          order by e.n desc limit 1) e on true
      where q.state in ('h', 'd') and ($1::uuid is null or q.message_id > $1) and ($3::uuid is null or m.account_id = $3)
      order by q.message_id limit $2`,
    [page.after, page.rows_max, page.account_id],
  );
  return rows.map((row) => ({ ...row, net_micros: BigInt(row.net_micros) }));
}

/** What waits of one account, and since when. */
export interface HeldCount {
  account_id: string;
  held: number;
  in_doubt: number;
  oldest_accepted_at: Date;
}

/** The accounts with the most first. */
export async function heldCounts(db: Queryable, accounts_max: number): Promise<HeldCount[]> {
  const { rows } = await db.query<HeldCount>(
    `select m.account_id, count(*) filter (where q.state = 'h')::integer as held,
            count(*) filter (where q.state = 'd')::integer as in_doubt, min(m.accepted_at) as oldest_accepted_at
       from message_queue q join message m on m.id = q.message_id
      where q.state in ('h', 'd') group by m.account_id
      order by count(*) desc, m.account_id limit $1`,
    [accounts_max],
  );
  return rows;
}
