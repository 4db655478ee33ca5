import { createHash } from 'node:crypto';
import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';

/**
 * By what somebody showed who they are. Between that and the session that comes of it lie a hash that waits for its turn, a second factor
 * that is typed, and what others do meanwhile: it is looked at again when the session begins.
 */
export const shownCredentialShape = z.discriminatedUnion('kind', [
  /** Of the hash that is kept: another password has another one. */
  z.object({ kind: z.literal('password'), hash_sha256: z.string() }),
  z.object({ kind: z.literal('passkey'), credential_id: z.string() }),
  z.object({ kind: z.literal('google'), issuer: z.string(), subject_index: z.string() }),
]);

export type ShownCredential = z.infer<typeof shownCredentialShape>;

export function shownPassword(password_argon2: string): ShownCredential {
  return { kind: 'password', hash_sha256: sha256Of(password_argon2) };
}

/** Whether somebody still signs in by it, and no new password is due first. */
export async function isStillTheirs(db: Queryable, user_id: string, shown: ShownCredential): Promise<boolean> {
  const { rows } = await db.query<{ password_argon2: string | null }>(
    `select u.password_argon2 from portal_user u
      where u.id = $1 and u.state = 'active' and not exists (select from reset_due r where r.user_id = u.id)`,
    [user_id],
  );
  const user = rows[0];
  if (user === undefined) return false;
  switch (shown.kind) {
    case 'password':
      return user.password_argon2 !== null && sha256Of(user.password_argon2) === shown.hash_sha256;
    case 'passkey':
      return exists(db, 'select from passkey where user_id = $1 and credential_id = $2', [
        user_id,
        shown.credential_id,
      ]);
    case 'google':
      return exists(
        db,
        `select from external_identity where user_id = $1 and issuer = $2 and subject_index = decode($3, 'hex')`,
        [user_id, shown.issuer, shown.subject_index],
      );
  }
}

async function exists(db: Queryable, text: string, values: readonly unknown[]): Promise<boolean> {
  const { rows } = await db.query(text, [...values]);
  return rows.length > 0;
}

const sha256Of = (text: string): string => createHash('sha256').update(text).digest('base64url');
