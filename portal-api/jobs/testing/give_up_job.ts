import type pg from 'pg';
import { expect } from 'vitest';

/** Once the job whose key begins so has failed, as if it had been tried as often as it may. */
export async function giveUpJob(pool: pg.Pool, key: string): Promise<void> {
  const failed = async (): Promise<number> => {
    const { rowCount } = await pool.query(
      `select graphile_worker.permanently_fail_jobs(array[j.id]) from graphile_worker.jobs j
        where starts_with(j.key, $1) and j.locked_at is null and j.attempts between 1 and j.max_attempts - 1`,
      [key],
    );
    return rowCount ?? 0;
  };
  await expect.poll(failed, { timeout: 20_000 }).toBe(1);
}
