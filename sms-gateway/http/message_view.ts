import type { Queryable } from '../../domain/db/transaction.ts';

/** A text as its customer sees it. */
export interface MessageView {
  id: string;
  direction: 'mt' | 'mo';
  state: string;
  since: string;
  error: string | null;
  from: string;
  to: string;
  segments: number;
  ref: string | null;
  price: { net_micros: string; tax_micros: string; currency: string } | null;
}

interface Row {
  id: string;
  direction: 'mt' | 'mo';
  state: string;
  since: Date;
  error: string | null;
  sender: string;
  recipient: string;
  segments: number;
  client_ref: string | null;
  net_micros: string;
  tax_micros: string;
  currency: string | null;
}

/** Null where the account has no such text. */
export async function messageView(db: Queryable, account_id: string, message_id: string): Promise<MessageView | null> {
  const { rows } = await db.query<Row>({
    name: 'message_view',
    text: `select m.id, m.direction,
                  -- Once its time has come it only waits for its carrier.
                  case when s.state = 'scheduled' and m.due_at <= now() then 'queued' else s.state end as state, s.since, s.error, m.sender, m.recipient, m.segments, m.client_ref,
                  m.net_micros, m.tax_micros, m.currency
             from message m join message_state s on s.message_id = m.id where m.id = $1 and m.account_id = $2`,
    values: [message_id, account_id],
  });
  const [row] = rows;
  if (row === undefined) return null;
  return {
    id: row.id,
    direction: row.direction,
    state: row.state,
    since: row.since.toISOString(),
    error: row.error,
    from: row.sender,
    to: row.recipient,
    segments: row.segments,
    ref: row.client_ref,
    price:
      row.currency === null ? null : { net_micros: row.net_micros, tax_micros: row.tax_micros, currency: row.currency },
  };
}
