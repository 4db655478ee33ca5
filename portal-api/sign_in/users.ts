import type { Queryable } from '../../domain/db/transaction.ts';
import { blindIndex, emailSpelling, unseal } from '../../domain/privacy/sealing.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';

export type UserKind = 'customer' | 'admin';

/** What signing in asks of a user. */
export interface SignInUser {
  user_id: string;
  kind: UserKind;
  data_key_id: string;
  password_argon2: string | null;
  has_totp: boolean;
  /** Whether nobody comes in until the password was set anew by mail. */
  is_reset_due: boolean;
}

const SELECT = `select u.id as user_id, u.kind, u.data_key_id, u.password_argon2,
                       exists (select 1 from totp t where t.user_id = u.id and t.confirmed_at is not null) as has_totp,
                       exists (select 1 from reset_due r where r.user_id = u.id) as is_reset_due
                  from portal_user u where u.state = 'active'`;

export function emailIndexOf(ring: KeyRing, email: string): Buffer {
  return blindIndex(ring, 'email', emailSpelling(email));
}

export async function findByEmail(db: Queryable, kind: UserKind, email_index: Buffer): Promise<SignInUser | null> {
  const { rows } = await db.query<SignInUser>({
    name: 'user_by_email',
    text: `${SELECT} and u.kind = $1 and u.email_index = $2`,
    values: [kind, email_index],
  });
  return rows[0] ?? null;
}

export async function findById(db: Queryable, user_id: string): Promise<SignInUser | null> {
  const { rows } = await db.query<SignInUser>({
    name: 'user_by_id',
    text: `${SELECT} and u.id = $1`,
    values: [user_id],
  });
  return rows[0] ?? null;
}

/** What a person is called and where they read mail. */
export async function readPerson(
  { keys }: Pick<PortalContext, 'keys'>,
  db: Queryable,
  user_id: string,
): Promise<{ name: string | null; email: string; key: Buffer; data_key_id: string }> {
  const { rows } = await db.query<{ data_key_id: string; name_sealed: Buffer | null; email_sealed: Buffer }>(
    'select data_key_id, name_sealed, email_sealed from portal_user where id = $1',
    [user_id],
  );
  const row = rows[0];
  if (row === undefined) throw new Error(`There is no user ${user_id}.`);
  const key = await keys.open(db, row.data_key_id);
  const opened = (column: string, sealed: Buffer): string =>
    unseal(key, `portal_user.${column}:${user_id}`, sealed).toString();
  return {
    name: row.name_sealed === null ? null : opened('name', row.name_sealed),
    email: opened('email', row.email_sealed),
    ...{ key, data_key_id: row.data_key_id },
  };
}
