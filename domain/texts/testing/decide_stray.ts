import { randomUUID } from 'node:crypto';
import type pg from 'pg';

/** Somebody at the desk decides about a text that came for nobody, as the portal does; says the verdict. */
export async function decideStray(
  pool: pg.Pool,
  message_id: string,
  copy_id: string | null,
  now = new Date(),
): Promise<string | undefined> {
  const [key_id, user_id] = [randomUUID(), randomUUID()];
  await pool.query(`insert into data_key (id, kek_id, wrapped) values ($1, 'kek', '\\x00')`, [key_id]);
  await pool.query(
    `insert into portal_user (id, kind, data_key_id, email_sealed, email_index, admin_roles)
     values ($1, 'admin', $2, '\\x00', sha256($3), '{operations}')`,
    [user_id, key_id, Buffer.from(user_id)],
  );
  const { rows } = await pool.query<{ verdict: string }>('select verdict from decide_unheld_text($1, $2, $3, $4, $5)', [
    ...[message_id, copy_id, 'A slip of ours.', user_id, now],
  ]);
  return rows[0]?.verdict;
}
