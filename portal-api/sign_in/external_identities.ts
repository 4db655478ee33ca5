import { createHmac } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';

/** Who somebody is elsewhere, as it is kept: found when they come again, and told to nobody. */
export function subjectIndex(ring: KeyRing, issuer: string, subject: string): Buffer {
  return createHmac('sha256', ring.index_key).update(`external\0${issuer}\0${subject}`).digest();
}

export async function findLinked(db: Queryable, issuer: string, subject_index: Buffer): Promise<string | null> {
  const { rows } = await db.query<{ user_id: string }>(
    'select user_id from external_identity where issuer = $1 and subject_index = $2',
    [issuer, subject_index],
  );
  return rows[0]?.user_id ?? null;
}

/** False where that identity, or that user, is linked otherwise. */
export async function link(
  tx: Queryable,
  now: Date,
  issuer: string,
  subject_index: Buffer,
  user_id: string,
): Promise<boolean> {
  const { rows } = await tx.query(
    `insert into external_identity (issuer, subject_index, user_id, linked_at) values ($1, $2, $3, $4)
     on conflict do nothing returning 1`,
    [issuer, subject_index, user_id, now],
  );
  return rows.length > 0;
}

export async function unlink(tx: Queryable, issuer: string, user_id: string): Promise<boolean> {
  const { rows } = await tx.query('delete from external_identity where issuer = $1 and user_id = $2 returning 1', [
    issuer,
    user_id,
  ]);
  return rows.length > 0;
}

export async function isGoogleLinked(db: Queryable, issuer: string, user_id: string): Promise<boolean> {
  const { rows } = await db.query('select 1 from external_identity where issuer = $1 and user_id = $2', [
    issuer,
    user_id,
  ]);
  return rows.length > 0;
}
