import type { Queryable } from '../../domain/db/transaction.ts';

export interface MessageState {
  account_id: string;
  id: string;
  direction: string;
  state: string;
  /** Why it was not sent or not delivered. */
  error: string | null;
}

/** How the newest texts of these accounts stand, those of an hour at most. */
export async function selectMessageStates(
  db: Queryable,
  account_ids: readonly string[],
  now: Date,
  texts_max: number,
): Promise<MessageState[]> {
  const { rows } = await db.query<MessageState>({
    name: 'live_message_states',
    text: `select n.account_id, n.id, n.direction, s.state, s.error
             from unnest($1::uuid[]) as a(id)
             cross join lateral (
               select m.account_id, m.id, m.direction from message m
                where m.account_id = a.id and m.id >= uuid_v7_floor($2::timestamptz - interval '1 hour')
                order by m.id desc limit $3) n
             join message_state s on s.message_id = n.id`,
    values: [account_ids, now, texts_max],
  });
  return rows;
}
