import type { Queryable } from '../../domain/db/transaction.ts';
import { Problem } from '../http/problem.ts';

export async function mustHaveAccount(db: Queryable, account_id: string): Promise<void> {
  const { rows } = await db.query('select 1 from account where id = $1', [account_id]);
  if (rows.length === 0) throw new Problem('not_found', 'There is no such account.');
}

/** Whoever may act for an account. */
export async function peopleOf(db: Queryable, account_id: string): Promise<string[]> {
  const { rows } = await db.query<{ user_id: string }>(
    'select user_id from membership where account_id = $1 order by created_at, user_id limit 200',
    [account_id],
  );
  return rows.map(({ user_id }) => user_id);
}
