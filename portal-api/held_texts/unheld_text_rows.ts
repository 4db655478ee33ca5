import type { Queryable, Transaction } from '../../domain/db/transaction.ts';

export type UnheldState = 'waiting' | 'handed_on' | 'dealt_with';

/** A text that came for a number of ours that nobody held. */
export interface UnheldText {
  message_id: string;
  arrived_at: Date;
  sender: string;
  number: string;
  carrier: string | null;
  segments: number;
  keyword: string | null;
  is_erased: boolean;
  state: UnheldState;
  /** Who has the number now. */
  holder_account_id: string | null;
  number_state: string | null;
  /** Whether it was his when the text came. */
  arrived_while_held: boolean;
  given_to_account_id: string | null;
  given_as_message_id: string | null;
  reason: string | null;
  decided_by: string | null;
  decided_at: Date | null;
}

export interface UnheldSearch {
  state: UnheldState | null;
  number: string | null;
  from: string | null;
  to: string | null;
}

export async function searchUnheldTexts(
  db: Queryable,
  { state, number, from, to }: UnheldSearch,
  before: string | null,
  rows_max: number,
): Promise<UnheldText[]> {
  const { rows } = await db.query<UnheldText>(
    `select m.id as message_id, m.accepted_at as arrived_at, m.sender, m.recipient as number, c.code as carrier, m.segments::integer, m.keyword,
            m.body is null as is_erased, coalesce(u.decision, 'waiting') as state, d.account_id as holder_account_id, d.state as number_state,
            exists (select 1 from number_holding h
                     where h.number = m.recipient and h.account_id = d.account_id and h.held_from <= m.accepted_at
                       and (h.held_to is null or h.held_to > m.accepted_at)) as arrived_while_held,
            u.account_id as given_to_account_id, u.copy_id as given_as_message_id, u.reason, u.decided_by, u.decided_at
       from message m left join unheld_text u on u.message_id = m.id left join did d on d.number = m.recipient
            left join carrier c on c.id = m.carrier_id
      where m.account_id is null and ($1::text is null or coalesce(u.decision, 'waiting') = $1) and ($2::text is null or m.recipient = $2)
        and ($3::timestamptz is null or m.id >= uuid_v7_floor($3)) and ($4::timestamptz is null or m.id < uuid_v7_floor($4))
        and ($5::uuid is null or m.id < $5)
      order by m.id desc limit $6`,
    [state, number, from, to, before, rows_max],
  );
  return rows;
}

export type UnheldVerdict = 'done' | 'not_found' | 'decided' | 'nobody' | 'erased' | 'reason_needed';

export interface UnheldDecision {
  message_id: string;
  /** The text that the holder gets; null: it is dealt with otherwise. */
  copy_id: string | null;
  reason: string | null;
  by: string;
}

/** Whom it was given to, where it was. */
export async function decideUnheldText(
  tx: Transaction,
  { message_id, copy_id, reason, by }: UnheldDecision,
  now: Date,
): Promise<{ verdict: UnheldVerdict; account_id: string | null }> {
  const { rows } = await tx.query<{ verdict: UnheldVerdict; account_id: string | null }>(
    'select verdict, account_id from decide_unheld_text($1, $2, $3, $4, $5)',
    [message_id, copy_id, reason, by, now],
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`Nothing was decided about the text ${message_id}.`);
  return row;
}

export interface UnheldReveal {
  reveal_id: string;
  message_id: string;
  admin_id: string;
  purpose: string;
  ends_at: Date;
}

/** Asked for once more under its id it stays what it was. False where there is no such text. */
export async function grantUnheldReveal(tx: Transaction, reveal: UnheldReveal, now: Date): Promise<boolean> {
  const { rowCount } = await tx.query('select 1 from message where id = $1 and account_id is null', [
    reveal.message_id,
  ]);
  if (rowCount === 0) return false;
  await tx.query(
    `insert into reveal_grant (id, message_id, admin_id, field, purpose, granted_at, ends_at)
     values ($1, $2, $3, 'unheld_text', $4, $5, $6) on conflict do nothing`,
    [reveal.reveal_id, reveal.message_id, reveal.admin_id, reveal.purpose, now, reveal.ends_at],
  );
  return true;
}

export interface RevealedText {
  message_id: string;
  purpose: string;
  ends_at: Date;
  sender: string;
  encoding: string;
  text: string | null;
}

/** Null where it is another's, or over. */
export async function readUnheldReveal(
  tx: Transaction,
  reveal_id: string,
  admin_id: string,
  now: Date,
): Promise<RevealedText | null> {
  const { rows } = await tx.query<RevealedText>(
    `select g.message_id, g.purpose, g.ends_at, m.sender, m.encoding, m.body as text
       from reveal_grant g join message m on m.id = g.message_id
      where g.id = $1 and g.admin_id = $2 and g.ends_at > $3 and g.field = 'unheld_text'`,
    [reveal_id, admin_id, now],
  );
  return rows[0] ?? null;
}
