import type { Queryable } from '../../domain/db/transaction.ts';
import type { MessageClass, MessageState } from '../../domain/texts/message.ts';

/** A text of a customer's, as far as is asked for to look at it, take it back or replace it. */
export interface StoredText {
  id: string;
  sender: string;
  recipient: string;
  /** Null once it was erased. */
  body: string | null;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  class: MessageClass;
  wants_receipt: boolean;
  due_at: Date | null;
  state: Exclude<MessageState, 'received'>;
  since: Date;
  error: string | null;
}

/** Null where the account has sent no such text. */
export async function selectStoredText(db: Queryable, account_id: string, id: string): Promise<StoredText | null> {
  const { rows } = await db.query<StoredText>({
    name: 'select_stored_text',
    text: `select m.id, m.sender, m.recipient, m.body, m.encoding, m.class, m.wants_receipt, m.due_at, s.state, s.since, s.error
             from message m join message_state s on s.message_id = m.id
            where m.id = $1 and m.account_id = $2 and m.direction = 'mt'`,
    values: [id, account_id],
  });
  return rows[0] ?? null;
}
