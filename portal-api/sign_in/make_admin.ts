import { randomUUID } from 'node:crypto';
import type pg from 'pg';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import { DataKeys } from '../../domain/privacy/data_keys.ts';
import { seal } from '../../domain/privacy/sealing.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';
import type { AdminRole } from '../identity/identity.ts';
import { PasswordHashing } from './password_hashing.ts';
import { queueReset } from './reset_routes.ts';
import { beginTotp, confirmTotp } from './totp.ts';
import { emailIndexOf } from './users.ts';

const ISSUER = 'Letsdial';

export interface Invited {
  email: string;
  name: string;
  roles: readonly AdminRole[];
}

export interface NewAdmin extends Invited {
  password: string;
  /** Of an app that makes codes, as it is typed there; a password alone lets no admin in. */
  totp_secret_base32: string;
}

/** Makes one of the operator's people, with a password and a second factor: the first of an installation. Null where there is one of that address. */
export async function makeAdminUser(
  { pool, ring }: { pool: pg.Pool; ring: KeyRing },
  now: Date,
  { password, totp_secret_base32, ...admin }: NewAdmin,
): Promise<{ user_id: string } | null> {
  const password_argon2 = await new PasswordHashing({ at_once: 1, waiting_max: 1 }).hash(password);
  return inTransaction(pool, (tx) => insertAdmin(tx, ring, now, admin, { password_argon2, totp_secret_base32 }));
}

/**
 * Makes one more of the operator's people. The two factors go two ways: the second is told to whoever makes them, who hands it over, and
 * a password is set by a code that goes to the address. Null where there is one of that address.
 */
export async function inviteAdmin(
  tx: Transaction,
  ring: KeyRing,
  now: Date,
  admin: Invited,
): Promise<{ user_id: string; secret_base32: string; uri: string } | null> {
  const made = await insertAdmin(tx, ring, now, admin, { password_argon2: null });
  if (made !== null) await queueReset(tx, made.user_id);
  return made;
}

async function insertAdmin(
  tx: Transaction,
  ring: KeyRing,
  now: Date,
  { email, name, roles }: Invited,
  factors: { password_argon2: string | null; totp_secret_base32?: string },
): Promise<{ user_id: string; secret_base32: string; uri: string } | null> {
  const user_id = randomUUID();
  const { id: key_id, key } = await new DataKeys(ring).make(tx, now);
  const sealed = (column: string, value: string): Buffer =>
    seal(key, `portal_user.${column}:${user_id}`, Buffer.from(value));
  const { rowCount } = await tx.query(
    `insert into portal_user (id, kind, data_key_id, name_sealed, email_sealed, email_index, email_verified_at, password_argon2, admin_roles,
                              created_at)
     values ($1, 'admin', $2, $3, $4, $5, $6, $7, $8, $6) on conflict (kind, email_index) where state <> 'closed' do nothing`,
    [
      ...[user_id, key_id, sealed('name', name), sealed('email', email), emailIndexOf(ring, email), now],
      ...[factors.password_argon2, roles],
    ],
  );
  if (rowCount === 0) return null;
  const totp = await beginTotp(tx, { user_id, key }, email, ISSUER, factors.totp_secret_base32);
  await confirmTotp(tx, now, user_id);
  return { user_id, ...totp };
}
