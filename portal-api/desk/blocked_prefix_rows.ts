import type { Queryable } from '../../domain/db/transaction.ts';

export interface BlockedPrefix {
  id: string;
  /** With + and the calling code. */
  prefix: string;
  reason: string;
  set_by: string;
  set_at: Date;
  version: number;
}

const columns = 'id, prefix, reason, set_by, set_at, version';

export async function listBlocked(db: Queryable, after: string | null, limit: number): Promise<BlockedPrefix[]> {
  const { rows } = await db.query<BlockedPrefix>(
    `select ${columns} from blocked_phone_prefix where $1::text is null or prefix collate "C" > $1 order by prefix collate "C" limit $2`,
    [after, limit],
  );
  return rows;
}

/** Null where it is there already, unless this very request put it there. */
export async function insertBlocked(tx: Queryable, row: Omit<BlockedPrefix, 'version'>): Promise<BlockedPrefix | null> {
  await tx.query(
    `insert into blocked_phone_prefix (id, prefix, reason, set_by, set_at) values ($1, $2, $3, $4, $5) on conflict do nothing`,
    [row.id, row.prefix, row.reason, row.set_by, row.set_at],
  );
  return lockBlocked(tx, row.id);
}

/** Nobody else changes it until the transaction ends. */
export async function lockBlocked(tx: Queryable, id: string): Promise<BlockedPrefix | null> {
  const { rows } = await tx.query<BlockedPrefix>(
    `select ${columns} from blocked_phone_prefix where id = $1 for no key update`,
    [id],
  );
  return rows[0] ?? null;
}

export async function updateBlocked(
  tx: Queryable,
  { id, reason, set_by, set_at }: BlockedPrefix,
): Promise<BlockedPrefix> {
  const { rows } = await tx.query<BlockedPrefix>(
    `update blocked_phone_prefix set reason = $2, set_by = $3, set_at = $4, version = version + 1 where id = $1 returning ${columns}`,
    [id, reason, set_by, set_at],
  );
  const [row] = rows;
  if (row === undefined) throw new Error('A blocked prefix that was locked is gone.');
  return row;
}

export async function deleteBlocked(tx: Queryable, id: string): Promise<BlockedPrefix | null> {
  const { rows } = await tx.query<BlockedPrefix>(
    `delete from blocked_phone_prefix where id = $1 returning ${columns}`,
    [id],
  );
  return rows[0] ?? null;
}
