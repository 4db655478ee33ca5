import type { Queryable } from '../../db/transaction.ts';

/** To whom an account sent this text; null where the account sent none by that id. */
export async function recipientOfText(db: Queryable, account_id: string, message_id: string): Promise<string | null> {
  const { rows } = await db.query<{ recipient: string }>({
    name: 'recipient_of_text',
    text: `select recipient from message where id = $2 and account_id = $1 and direction = 'mt'`,
    values: [account_id, message_id],
  });
  return rows[0]?.recipient ?? null;
}
