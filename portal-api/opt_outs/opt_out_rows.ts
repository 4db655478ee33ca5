import type { Queryable } from '../../domain/db/transaction.ts';

/** A STOP that holds: START takes it away. */
export interface OptOut {
  account_id: string;
  /** Who said it. */
  recipient: string;
  /** To which number or name; `*`: to every one of the account. */
  sender: string;
  opted_out_at: Date;
  message_id: string | null;
  at_us: string;
}

export interface OptOutSearch {
  account_id: string | null;
  sender: string | null;
  recipient: string | null;
  from: string | null;
  to: string | null;
}

/** The sort key of a row: its moment in microseconds, as cursors keep it, and who to whom. */
export type OptOutKey = readonly [string, string, string, string];
export const keyOf = ({ at_us, account_id, recipient, sender }: OptOut): OptOutKey => [
  ...([at_us, account_id, recipient, sender] as const),
];

/** The newest first. Whoever writes to a sender is also meant by what was said to all. */
export async function searchOptOuts(
  db: Queryable,
  { account_id, sender, recipient, from, to }: OptOutSearch,
  after: OptOutKey | null,
  rows_max: number,
): Promise<OptOut[]> {
  const { rows } = await db.query<OptOut>(
    `select account_id, recipient, sender, opted_out_at, message_id, (extract(epoch from opted_out_at) * 1000000)::bigint::text as at_us
       from opt_out
      where ($1::uuid is null or account_id = $1) and ($2::text is null or sender in ($2, '*')) and ($3::text is null or recipient = $3)
        and ($4::timestamptz is null or opted_out_at >= $4) and ($5::timestamptz is null or opted_out_at < $5)
        and ($6::bigint is null or (opted_out_at, account_id, recipient, sender)
                                   < ('epoch'::timestamptz + $6::bigint * interval '1 microsecond', $7::uuid, $8::text, $9::text))
      order by opted_out_at desc, account_id desc, recipient desc, sender desc limit $10`,
    [account_id, sender, recipient, from, to, ...(after ?? [null, null, null, null]), rows_max],
  );
  return rows;
}
