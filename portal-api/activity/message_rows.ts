import { isoTypes } from '../../domain/db/timestamps.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { MessageState } from '../../domain/texts/message.ts';

export interface MessageQuery {
  account_id: string;
  direction: 'mt' | 'mo' | null;
  /** The other side: only texts with this number. */
  peer: string | null;
  after: string | null;
  limit: number;
}

export interface MessageRow {
  id: string;
  direction: 'mt' | 'mo';
  /** Moments of rows are text, as JSON has them. */
  accepted_at: string;
  sender: string;
  recipient: string;
  body: string | null;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  segments: number;
  net_micros: string;
  tax_micros: string;
  currency: string | null;
  destination: string | null;
  client_ref: string | null;
  due_at: string | null;
  state: MessageState;
  since: string;
  error: string | null;
}

/** A filter looks at no more texts than this for one page. */
const LOOKED_AT_MAX = 2_000;

const columns = `id, direction, accepted_at, sender, recipient, body, encoding, segments, net_micros, tax_micros, currency, destination,
  client_ref, due_at`;

/** Where a text stands, looked up for it alone: as the view message_state tells, which is made for all. */
const standing = `left join lateral (
    select case when m.direction = 'mo' then 'received'
                when f.state is not null then f.state
                when q.state = 'h' then 'held'
                when q.state = 'd' then 'in_doubt'
                when q.state is null then 'submitted'
                when m.due_at > m.accepted_at and q.state in ('u', 'w') then 'scheduled'
                else 'queued' end as state,
           coalesce(f.at, m.accepted_at) as since, f.error
      from (select 1) one
      left join lateral (select e.state, e.at, e.error from message_event e
                          where e.message_id = m.id and e.kind = 'final' limit 1) f on true
      left join lateral (select q.state from message_queue q where q.message_id = m.id limit 1) q on true) s on true`;

/** The newest first, and where the next page begins. */
export async function listMessages(
  db: Queryable,
  { account_id, direction, peer, after, limit }: MessageQuery,
): Promise<{ rows: MessageRow[]; next: string | null }> {
  const is_filtered = direction !== null || peer !== null;
  const looked_at_max = is_filtered ? LOOKED_AT_MAX : limit + 1;
  const { rows } = await db.query<Partial<MessageRow> & { last_id: string; looked_at: number }>({
    ...{ name: 'list_messages', types: isoTypes },
    text: `with looked_at as materialized (
             select ${columns} from message
              where account_id = $1 and id < coalesce($2::uuid, 'ffffffff-ffff-ffff-ffff-ffffffffffff'::uuid) order by id desc limit $3)
           select m.*, s.state, s.since, s.error, l.last_id, (select count(*)::integer from looked_at) as looked_at
             from (select id as last_id from looked_at order by id limit 1) l
             left join lateral (
               select * from looked_at
                where ($4::text is null or direction = $4) and ($5::text is null or $5 = case direction when 'mt' then recipient else sender end)
                order by id desc limit $6) m on true
             ${standing}
            order by m.id desc`,
    values: [account_id, after, looked_at_max, direction, peer, limit + 1],
  });
  const found = rows.filter(isMessage);
  const shown = found.slice(0, limit);
  const [last, first] = [shown.at(-1), rows[0]];
  if (found.length > limit && last !== undefined) return { rows: shown, next: last.id };
  const has_more = is_filtered && first?.looked_at === LOOKED_AT_MAX;
  return { rows: shown, next: has_more ? first.last_id : null };
}

function isMessage<T extends Partial<MessageRow>>(row: T): row is T & MessageRow {
  return typeof row.id === 'string';
}

export interface MessageDetail extends MessageRow {
  valid_until: string | null;
  rate_micros_per_segment: string | null;
  prefix: string | null;
  deck: string | null;
  deck_version: number | null;
}

export async function readMessage(db: Queryable, account_id: string, id: string): Promise<MessageDetail | null> {
  const { rows } = await db.query<MessageDetail>({
    ...{ name: 'read_message', types: isoTypes },
    text: `select m.*, s.state, s.since, s.error, d.name as deck, d.version as deck_version
             from (select ${columns}, valid_until, rate_micros_per_segment, prefix, deck_id from message
                    where id = $2 and account_id = $1) m
             left join rate_deck d on d.id = m.deck_id
             ${standing}`,
    values: [account_id, id],
  });
  return rows[0] ?? null;
}

export interface MessageEventRow {
  at: string;
  kind: string;
  part_no: number;
  state: string | null;
  error: string | null;
}

/** What became of it, step by step. */
export async function readMessageEvents(db: Queryable, message_id: string): Promise<MessageEventRow[]> {
  const { rows } = await db.query<MessageEventRow>({
    ...{ name: 'read_message_events', types: isoTypes },
    text: `select at, kind, part_no::integer, state, error from message_event where message_id = $1 order by n limit 1000`,
    values: [message_id],
  });
  return rows;
}
