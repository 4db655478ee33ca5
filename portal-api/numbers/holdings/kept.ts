import type { Queryable } from '../../../domain/db/transaction.ts';

/** Whether it was promised to another operator. */
export async function isBeingPorted(db: Queryable, holding_id: string): Promise<boolean> {
  const { rows } = await db.query(`select from port_out where holding_id = $1 and state = 'approved'`, [holding_id]);
  return rows.length > 0;
}

/** Whether somebody says that the number is his, and we still look into it. */
export async function isDisputed(db: Queryable, holding_id: string, now: Date): Promise<boolean> {
  const { rows } = await db.query(
    `select from ownership_dispute where holding_id = $1 and state in ('open', 'proposed') and kept_until > $2`,
    [holding_id, now],
  );
  return rows.length > 0;
}

/** Whether it stays with its holder though its day has come: somebody else would lose what he was promised, or what is his. */
export async function isKept(db: Queryable, holding_id: string, now: Date): Promise<boolean> {
  return (await isBeingPorted(db, holding_id)) || (await isDisputed(db, holding_id, now));
}
