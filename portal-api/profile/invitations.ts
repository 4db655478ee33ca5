import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import { blindIndex, emailSpelling, seal, unseal } from '../../domain/privacy/sealing.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';
import type { CustomerRole } from '../identity/identity.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { postingBy } from '../notices/post_notice.ts';

export const INVITATION_LIFE_MS = 7 * 86_400_000;

export interface NewInvitation {
  id: string;
  account_id: string;
  account_key: Buffer;
  email: string;
  role: CustomerRole;
  invited_by: string;
}

const tokenHash = (token: string): Buffer => createHash('sha256').update(token).digest();

/** Invites an address; what it is invited with is made when the mail is, and is nowhere else. */
export async function insertInvitation(
  tx: Queryable,
  ring: KeyRing,
  now: Date,
  { id, account_id, account_key, email, role, invited_by }: NewInvitation,
): Promise<void> {
  await tx.query(
    `insert into invitation (id, account_id, role, email_sealed, email_index, invited_by, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8)`,
    [
      ...[id, account_id, role, seal(account_key, `invitation.email:${id}`, Buffer.from(email))],
      ...[blindIndex(ring, 'email', emailSpelling(email)), invited_by, now],
      new Date(now.getTime() + INVITATION_LIFE_MS),
    ],
  );
  await enqueue(tx, { task: 'send_invitation', payload: { invitation_id: id }, attempts_max: 10 });
}

/** Null where there is none of that id. */
export async function accountOfInvitation(db: Queryable, id: string): Promise<string | null> {
  const { rows } = await db.query<{ account_id: string }>('select account_id from invitation where id = $1', [id]);
  return rows[0]?.account_id ?? null;
}

export interface UsableInvitation {
  id: string;
  account_id: string;
  role: CustomerRole;
}

/** The invitation of that secret, for that address, while it can be accepted. */
export async function findUsableInvitation(
  db: Queryable,
  now: Date,
  token: string,
  email_index: Buffer,
): Promise<UsableInvitation | null> {
  const { rows } = await db.query<UsableInvitation>(
    `select id, account_id, role from invitation
      where token_sha256 = $1 and email_index = $2 and accepted_at is null and revoked_at is null and expires_at > $3`,
    [tokenHash(token), email_index, now],
  );
  return rows[0] ?? null;
}

/** In the transaction that makes the membership. False where it was accepted or withdrawn meanwhile. */
export async function acceptInvitation(tx: Queryable, now: Date, id: string): Promise<boolean> {
  const { rows } = await tx.query(
    `update invitation set accepted_at = $2
      where id = $1 and accepted_at is null and revoked_at is null and expires_at > $2 returning 1`,
    [id, now],
  );
  return rows.length > 0;
}

export interface ListedInvitation {
  invitation_id: string;
  email: string;
  role: CustomerRole;
  created_at: Date;
  expires_at: Date;
}

/** Those that can still be accepted. */
export async function openInvitations(
  db: Queryable,
  now: Date,
  account_id: string,
  account_key: Buffer,
): Promise<ListedInvitation[]> {
  const { rows } = await db.query<Omit<ListedInvitation, 'email'> & { email_sealed: Buffer }>(
    `select id as invitation_id, role, email_sealed, created_at, expires_at from invitation
      where account_id = $1 and accepted_at is null and revoked_at is null and expires_at > $2 order by created_at desc, id limit 200`,
    [account_id, now],
  );
  return rows.map(({ email_sealed, ...row }) => ({
    ...row,
    email: unseal(account_key, `invitation.email:${row.invitation_id}`, email_sealed).toString(),
  }));
}

export async function revokeInvitation(tx: Queryable, now: Date, account_id: string, id: string): Promise<boolean> {
  const { rows } = await tx.query(
    `update invitation set revoked_at = $3
      where id = $1 and account_id = $2 and accepted_at is null and revoked_at is null returning 1`,
    [id, account_id, now],
  );
  return rows.length > 0;
}

/** Mails the secret. Carried out twice it makes a new one, and only that can be used. */
export function sendInvitation({ pool, keys, settings, ...context }: PortalContext): Task {
  const post = postingBy({ ...context, pool, settings });
  return task('send_invitation', z.object({ invitation_id: z.uuid() }), async ({ invitation_id }) => {
    const token = randomBytes(32).toString('base64url');
    const { rows } = await pool.query<{ email_sealed: Buffer; data_key_id: string; locale: string }>(
      `update invitation i set token_sha256 = $2 from account a, portal_user u
        where i.id = $1 and a.id = i.account_id and u.id = i.invited_by
          and i.accepted_at is null and i.revoked_at is null and i.expires_at > $3
       returning i.email_sealed, a.data_key_id, u.locale`,
      [invitation_id, tokenHash(token), context.now()],
    );
    const invitation = rows[0];
    if (invitation === undefined) return;
    const key = await keys.open(pool, invitation.data_key_id);
    const to = unseal(key, `invitation.email:${invitation_id}`, invitation.email_sealed).toString();
    // Behind the #, a browser sends it to nobody.
    const link = `${new URL(settings.PUBLIC_ORIGIN).origin}/invitation#${token}`;
    // Whom somebody wants to work with most likely reads what he reads; nothing else is known of them.
    await post(to, 'invited', { link }, { reader: { locale: invitation.locale, time_zone: 'UTC' } });
  });
}
