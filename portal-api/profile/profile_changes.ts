import { randomUUID } from 'node:crypto';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { seal } from '../../domain/privacy/sealing.ts';
import { inetOf } from '../codes/issue_code.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import type { SignedInIdentity } from '../identity/whose.ts';

export type PersonalField = 'name' | 'locale' | 'email' | 'phone';
export type CredentialField = 'password' | 'passkey' | 'totp' | 'recovery_codes' | 'google';

export interface PersonalChange {
  user_id: string;
  key: Buffer;
  field: PersonalField;
  before: string | null;
  after: string | null;
  address: string;
}

/** What somebody changed about themselves, both sides sealed by their own key. */
export async function recordChange(tx: Queryable, now: Date, change: PersonalChange): Promise<{ change_id: string }> {
  const change_id = randomUUID();
  const { user_id, key, field, address } = change;
  const sealed = (side: 'before' | 'after'): Buffer | null => {
    const value = change[side];
    return value === null ? null : seal(key, `profile_change.${side}:${change_id}`, Buffer.from(value));
  };
  await tx.query(
    `insert into profile_change (id, user_id, at, field, before_sealed, after_sealed, address) values ($1, $2, $3, $4, $5, $6, $7)`,
    [change_id, user_id, now, field, sealed('before'), sealed('after'), inetOf(address)],
  );
  return { change_id };
}

const CREDENTIAL_WORDS: Readonly<Record<CredentialField, string>> = {
  password: 'the password',
  passkey: 'a passkey',
  totp: 'the codes of an app',
  recovery_codes: 'the recovery codes',
  google: 'sign-in with Google',
};

export interface CredentialChange {
  field: CredentialField;
  what: 'set' | 'added' | 'removed';
  address: string;
}

/** That somebody changed what they sign in with; they are told, in case that it was not them. Comes last in its transaction. */
export async function recordCredentialChange(
  tx: Queryable,
  now: Date,
  identity: SignedInIdentity,
  { field, what, address }: CredentialChange,
): Promise<void> {
  const { user_id, kind } = identity;
  await insertCredentialChange(tx, now, user_id, field, address);
  const facts = { changed: CREDENTIAL_WORDS[field], how: what, at: now.toISOString(), address };
  await queueNotice(tx, { to: { user_id }, template: 'credential_changed', facts });
  if (kind !== 'admin') return;
  const subject = `portal_user:${user_id}`;
  const action = `credential.${what}`;
  await appendAudit(tx, {
    at: now,
    actor: { kind, id: user_id },
    action,
    account_id: null,
    subject,
    detail: { field },
  });
}

/** Of somebody who is not signed in at that moment. */
export async function insertCredentialChange(
  tx: Queryable,
  now: Date,
  user_id: string,
  field: CredentialField,
  address: string,
): Promise<void> {
  await tx.query('insert into profile_change (id, user_id, at, field, address) values ($1, $2, $3, $4, $5)', [
    ...[randomUUID(), user_id, now, field, inetOf(address)],
  ]);
}
