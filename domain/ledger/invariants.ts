import type { Queryable } from '../db/transaction.ts';

/** The invariants of money that do not hold right now, with how many rows break each; empty when the books are right. */
export async function brokenInvariants(db: Queryable): Promise<readonly { name: string; broken: number }[]> {
  const { rows } = await db.query<{ name: string; broken: string }>(
    `select name, broken from ledger_invariant where broken > 0
     union all select name, broken from message_invariant where broken > 0`,
  );
  return rows.map((row) => ({ name: row.name, broken: Number(row.broken) }));
}
