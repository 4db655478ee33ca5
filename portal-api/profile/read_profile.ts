import type { Queryable } from '../../domain/db/transaction.ts';
import { unseal } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';

export interface OpenProfile {
  user_id: string;
  key: Buffer;
  data_key_id: string;
  name: string | null;
  email: string;
  phone: string | null;
  locale: string;
  version: number;
}

interface ProfileRow {
  data_key_id: string;
  name_sealed: Buffer | null;
  email_sealed: Buffer;
  phone_sealed: Buffer | null;
  locale: string;
  version: number;
}

/** What somebody has told about themselves, opened. With `lock`, nobody else changes it before this transaction ends. */
export async function readProfile(
  { keys }: Pick<PortalContext, 'keys'>,
  db: Queryable,
  user_id: string,
  { lock }: { lock: boolean },
): Promise<OpenProfile> {
  const { rows } = await db.query<ProfileRow>(
    `select data_key_id, name_sealed, email_sealed, phone_sealed, locale, version
       from portal_user where id = $1 and state = 'active' ${lock ? 'for no key update' : ''}`,
    [user_id],
  );
  const row = rows[0];
  if (row === undefined) throw new Problem('sign_in_required');
  const key = await keys.open(db, row.data_key_id);
  const opened = (column: string, sealed: Buffer | null): string | null =>
    sealed === null ? null : unseal(key, `portal_user.${column}:${user_id}`, sealed).toString();
  return {
    ...{ user_id, key, data_key_id: row.data_key_id, locale: row.locale, version: row.version },
    ...{ name: opened('name', row.name_sealed), phone: opened('phone', row.phone_sealed) },
    email: opened('email', row.email_sealed) ?? '',
  };
}
