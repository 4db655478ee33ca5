import type { Queryable } from '../db/transaction.ts';
import type { GatewayLease } from './queue.ts';

/** A receipt whose meaning is not known. */
export interface UnreadableReceipt {
  carrier_id: number;
  bind_id: string;
  /** What could not be read, in words. */
  why: string;
  /** As it came, header and TLVs with it. */
  pdu: Buffer;
}

/** Stores some, and deletes the oldest beyond `rows_max` in all. Then they may be acknowledged; false: another gateway took over. */
export async function keepUnreadableReceipts(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  now: Date,
  receipts: readonly UnreadableReceipt[],
  rows_max: number,
): Promise<boolean> {
  const { rows } = await db.query<{ kept: boolean }>({
    name: 'keep_unreadable_receipts',
    text: 'select keep_unreadable_receipts($1, $2, $3, $4, $5, $6, $7, $8) as kept',
    values: [
      ...[gateway_id, epoch, now],
      receipts.map(({ carrier_id }) => carrier_id),
      receipts.map(({ bind_id }) => bind_id),
      // What a carrier wrote may stand in there, and a text of the database holds no NUL.
      receipts.map(({ why }) => why.replace(/\p{Cc}/gu, '?')),
      receipts.map(({ pdu }) => pdu),
      rows_max,
    ],
  });
  return rows[0]?.kept ?? false;
}

/** As an operator sees it in a list: what stands in it is personal, and is read at the database by its id. */
export interface ListedReceipt {
  id: string;
  carrier: string;
  bind: string;
  why: string;
  received_at: string;
}

/** The newest first. */
export async function listUnreadableReceipts(db: Queryable, rows_max: number): Promise<ListedReceipt[]> {
  const { rows } = await db.query<Omit<ListedReceipt, 'received_at'> & { received_at: Date }>(
    `select r.id, c.code as carrier, r.bind_id as bind, r.why, r.received_at
       from unreadable_receipt r join carrier c on c.id = r.carrier_id order by r.id desc limit $1`,
    [rows_max],
  );
  return rows.map((row) => ({ ...row, received_at: row.received_at.toISOString() }));
}

/** Deletes what came before that. Says how many went. */
export async function forgetUnreadableReceipts(
  db: Queryable,
  { gateway_id, epoch }: GatewayLease,
  before: Date,
  rows_max: number,
): Promise<number> {
  const { rows } = await db.query<{ forgotten: number }>(
    'select forget_unreadable_receipts($1, $2, $3, $4) as forgotten',
    [gateway_id, epoch, before, rows_max],
  );
  return rows[0]?.forgotten ?? 0;
}
