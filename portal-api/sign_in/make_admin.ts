import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from '../../domain/db/transaction.ts';
import { DataKeys } from '../../domain/privacy/data_keys.ts';
import { seal } from '../../domain/privacy/sealing.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';
import type { AdminRole } from '../identity/identity.ts';
import { PasswordHashing } from './password_hashing.ts';
import { beginTotp, confirmTotp } from './totp.ts';
import { emailIndexOf } from './users.ts';

export interface NewAdmin {
  email: string;
  name: string;
  password: string;
  roles: readonly AdminRole[];
  /** Of an app that makes codes, as it is typed there; a password alone lets no admin in. */
  totp_secret_base32: string;
}

/** Makes one of the operator's people, with a password and a second factor: the first of an installation. Null where there is one of that address. */
export async function makeAdminUser(
  { pool, ring }: { pool: pg.Pool; ring: KeyRing },
  now: Date,
  admin: NewAdmin,
): Promise<{ user_id: string } | null> {
  const { email, name, password, roles, totp_secret_base32 } = admin;
  const hashed = await new PasswordHashing({ at_once: 1, waiting_max: 1 }).hash(password);
  const user_id = randomUUID();
  return inTransaction(pool, async (tx) => {
    const known = await tx.query(
      `select 1 from portal_user where kind = 'admin' and email_index = $1 and state <> 'closed'`,
      [emailIndexOf(ring, email)],
    );
    if (known.rows.length > 0) return null;
    const { id: key_id, key } = await new DataKeys(ring).make(tx, now);
    const sealed = (column: string, value: string): Buffer =>
      seal(key, `portal_user.${column}:${user_id}`, Buffer.from(value));
    await tx.query(
      `insert into portal_user (id, kind, data_key_id, name_sealed, email_sealed, email_index, email_verified_at, password_argon2, admin_roles,
                                created_at)
       values ($1, 'admin', $2, $3, $4, $5, $6, $7, $8, $6)`,
      [
        ...[user_id, key_id, sealed('name', name), sealed('email', email), emailIndexOf(ring, email), now, hashed],
        roles,
      ],
    );
    await beginTotp(tx, { user_id, key }, email, 'Letsdial', totp_secret_base32);
    await confirmTotp(tx, now, user_id);
    return { user_id };
  });
}
