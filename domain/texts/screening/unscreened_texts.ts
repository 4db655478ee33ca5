import type { Queryable } from '../../db/transaction.ts';
import type { MessageClass } from '../message.ts';
import type { GatewayLease } from '../queue.ts';

/** A text that was charged and stored by who cannot screen it: the portal. No gateway can claim it before one has screened it. */
export interface UnscreenedText {
  message_id: string;
  account_id: string;
  sender: string;
  recipient: string;
  body: string;
  encoding: 'gsm7' | 'ucs2' | 'binary';
  class: MessageClass;
  /** Null: at once. */
  due_at: Date | null;
  rate_micros_per_segment: bigint | null;
}

type UnscreenedRow = Omit<UnscreenedText, 'body' | 'rate_micros_per_segment'> & {
  body: string | null;
  rate_micros_per_segment: string | null;
};

/** The oldest first, without those of the accounts that have to wait. */
export async function unscreenedTexts(
  db: Queryable,
  accounts_that_wait: readonly string[],
  rows_max: number,
): Promise<UnscreenedText[]> {
  const { rows } = await db.query<UnscreenedRow>({
    name: 'unscreened_texts',
    text: `select q.message_id, m.account_id, m.sender, m.recipient, m.body, m.encoding, m.class, m.due_at, m.rate_micros_per_segment
             from message_queue q join message m on m.id = q.message_id
            where q.state = 'u' and m.account_id <> all($1::uuid[]) order by q.message_id limit $2`,
    values: [accounts_that_wait, rows_max],
  });
  return rows.map(({ body, rate_micros_per_segment, ...row }) => ({
    ...row,
    body: body ?? '',
    rate_micros_per_segment: rate_micros_per_segment === null ? null : BigInt(rate_micros_per_segment),
  }));
}

/** What a gateway made of one of them. */
export interface ScreenedText {
  message_id: string;
  verdict: 'pass' | 'hold' | 'refuse';
  /** Of a hold, what a person reads who decides; of a refusal, what the customer reads. */
  words: string | null;
  /** When it is to be sent instead, where the recipient would mind it at the time that was asked for. */
  due_at: Date | null;
}

/**
 * Writes the verdicts: what passed waits for a carrier, what is held for a person, and what is refused ends and its price goes back.
 * A text that was screened before, or is not there any more, stays as it is.
 * @returns how many were written; null when another gateway has taken over, and nothing was.
 */
export async function recordScreenings(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  now: Date,
  screened: readonly ScreenedText[],
): Promise<number | null> {
  const { rows } = await db.query<{ written: number | null }>({
    name: 'record_screenings',
    text: 'select record_screenings($1, $2, $3, $4) as written',
    values: [gateway_id, epoch, now, JSON.stringify(screened)],
  });
  return rows[0]?.written ?? null;
}
