import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { blindIndex, seal } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';
import { enqueue } from '../jobs/task.ts';
import { endResetCodes } from '../sign_in/reset_codes.ts';
import { emailIndexOf } from '../sign_in/users.ts';
import { recordChange } from './profile_changes.ts';
import type { OpenProfile } from './read_profile.ts';
import { dropFormerCaller } from './verified_callers.ts';

/** Where somebody is reached from now on, and how that came. */
export interface ContactChange<T extends string | null> {
  target: T;
  /** When it was proven that they are reached there. */
  verified_at: Date;
  /** The network address of whoever asks. */
  address: string;
}

/** Of a profile that is locked. `taken`: somebody else signs in with that address. */
export async function setEmail(
  { ring }: PortalContext,
  tx: Transaction,
  now: Date,
  { user_id, key, data_key_id, email }: OpenProfile,
  { target, verified_at, address }: ContactChange<string>,
): Promise<'set' | 'taken'> {
  const email_index = emailIndexOf(ring, target);
  if (await isTaken(tx, user_id, email_index)) return 'taken';
  await tx.query(
    'update portal_user set email_sealed = $2, email_index = $3, email_verified_at = $4, version = version + 1 where id = $1',
    [user_id, seal(key, `portal_user.email:${user_id}`, Buffer.from(target)), email_index, verified_at],
  );
  // A code on its way to the address before sets no password any more.
  await endResetCodes(tx, now, { email_index: emailIndexOf(ring, email), data_key_id });
  const change = { user_id, key, field: 'email' as const, before: email, after: target, address };
  const { change_id } = await recordChange(tx, now, change);
  await enqueue(tx, { task: 'tell_former_address', payload: { change_id } });
  return 'set';
}

async function isTaken(db: Queryable, user_id: string, email_index: Buffer): Promise<boolean> {
  const { rows } = await db.query(
    `select 1 from portal_user u join portal_user me on me.id = $1
      where u.kind = me.kind and u.email_index = $2 and u.state <> 'closed' and u.id <> me.id`,
    [user_id, email_index],
  );
  return rows.length > 0;
}

/** Of a profile that is locked; null where they are reached by no phone. */
export async function setPhone(
  { ring }: PortalContext,
  tx: Transaction,
  now: Date,
  { user_id, key, phone }: OpenProfile,
  { target, verified_at, address }: ContactChange<string | null>,
): Promise<void> {
  const is_none = target === null;
  await tx.query(
    'update portal_user set phone_sealed = $2, phone_index = $3, phone_verified_at = $4, version = version + 1 where id = $1',
    [
      ...[user_id, is_none ? null : seal(key, `portal_user.phone:${user_id}`, Buffer.from(target))],
      ...[is_none ? null : blindIndex(ring, 'phone', target), is_none ? null : verified_at],
    ],
  );
  // Of the accounts that are theirs: the new number may be shown to those who are called, the old one no longer.
  if (phone !== null) {
    await dropFormerCaller(tx, user_id, { number: phone, phone_index: blindIndex(ring, 'phone', phone) });
  }
  await tx.query(
    `insert into verified_caller (account_id, number, verified_at)
     select account_id, $2::text, $3 from membership where user_id = $1 and role = 'owner' and $2::text is not null on conflict do nothing`,
    [user_id, target, verified_at],
  );
  await recordChange(tx, now, { user_id, key, field: 'phone', before: phone, after: target, address });
}
