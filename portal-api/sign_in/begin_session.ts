import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { AdminRole, CustomerRole } from '../identity/identity.ts';
import type { NewSession, RevocationMark } from '../identity/sessions.ts';
import { isUndeliverable } from '../notices/bounce_rows.ts';
import { sessionCookie } from '../session/session_cookie.ts';
import { recordLogin } from './login_events.ts';
import type { LoginMethod, Visitor } from './login_events.ts';
import { isStillTheirs } from './shown_credential.ts';
import type { ShownCredential } from './shown_credential.ts';

/** What somebody is told who is signed in from now on, beside the cookie. */
export const signedInShape = z
  .object({
    kind: z.literal('signed_in'),
    user_id: uuid,
    /** Null for one of the operator's people. */
    account_id: uuid.nullable(),
    role: z.enum(['owner', 'billing', 'member']).nullable(),
    admin_roles: z.array(z.string()),
    /** Mail to your address comes back: nothing but codes is sent there until you give another one, or prove that it takes mail again. */
    email_is_undeliverable: z.boolean(),
    /** To be sent as X-CSRF-Token with everything that changes something. */
    csrf_token: z.string(),
  })
  .meta({ id: 'SignedIn' });

export interface SignedInReply {
  body: z.input<typeof signedInShape>;
  cookies: string[];
}

export type WhoSignsIn =
  | { kind: 'customer'; user_id: string; account_id: string; role: CustomerRole }
  | { kind: 'admin'; user_id: string; admin_roles: AdminRole[] };

/** A session for somebody who has just come to be, as what they may do stands by now. */
export async function beginSession(
  context: PortalContext,
  { user_id }: WhoSignsIn,
  visitor: Visitor,
): Promise<SignedInReply> {
  const mark = await context.sessions.markOf(user_id);
  const who = await whoSignsIn(context.pool, user_id);
  const begun = 'nobody' in who ? null : await startSession(context, who, visitor, mark);
  if (begun === null) throw new Problem('conflict', 'You were signed out at this very moment. Sign in again.');
  return begun;
}

/**
 * A session, and the cookie that carries it; null where it would outlive a revocation: who somebody is was read after the mark, so that
 * whatever changed it is either in what was read or raises the mark.
 */
export async function startSession(
  { pool, sessions, cookie_name }: PortalContext,
  who: WhoSignsIn,
  visitor: Visitor,
  mark: RevocationMark,
  instead_of: string | null = null,
): Promise<SignedInReply | null> {
  const session: NewSession =
    who.kind === 'customer'
      ? { ...who, admin_roles: [], ...visitor }
      : { ...who, account_id: null, role: null, ...visitor };
  const begun = await sessions.beginSince(session, mark, instead_of);
  if (begun === null) return null;
  const { token, csrf_token, life_left_ms } = begun;
  const { user_id, account_id, role, admin_roles } = session;
  const email_is_undeliverable = await isUndeliverable(pool, user_id);
  return {
    body: { kind: 'signed_in', user_id, account_id, role, admin_roles, email_is_undeliverable, csrf_token },
    cookies: [sessionCookie(cookie_name, token, life_left_ms)],
  };
}

/**
 * Signs somebody in who has proven who it is, by what still proves it: written down, then told. Who has no account left to act for hears why, as nobody comes here
 * without the right credentials: to a stranger it looks like any other account.
 */
export async function signIn(
  context: PortalContext,
  user_id: string,
  method: LoginMethod,
  shown: ShownCredential,
  visitor: Visitor,
): Promise<SignedInReply> {
  const mark = await context.sessions.markOf(user_id);
  const who = await inTransaction(context.pool, async (tx) => {
    const is_still_theirs = await isStillTheirs(tx, user_id, shown);
    const found = is_still_theirs ? await whoSignsIn(tx, user_id) : { nobody: 'changed_meanwhile' as const };
    const result = 'nobody' in found ? 'refused' : 'signed_in';
    await recordLogin(tx, context.now(), { user_id, method, result }, visitor);
    return found;
  });
  if ('nobody' in who) {
    if (who.nobody === 'changed_meanwhile') throw changedMeanwhile();
    throw new Problem('not_permitted', WHY_NOBODY[who.nobody]);
  }
  const begun = await startSession(context, who, visitor, mark);
  if (begun === null) throw changedMeanwhile();
  return begun;
}

function changedMeanwhile(): Problem {
  return new Problem(
    'sign_in_failed',
    'How you sign in, or what you may do, changed at this very moment. Sign in again.',
  );
}

const WHY_NOBODY = {
  account_closed:
    'Your account was closed, so nobody can sign in to it any more. Write to our support about what is left in its wallet, or for what we keep of you.',
  no_account: 'There is no account left that you may use. Ask its owner to invite you again.',
} as const;

/** For which account somebody acts: the first that they own, or else may use; they can change to another one later. */
async function whoSignsIn(db: Queryable, user_id: string): Promise<WhoSignsIn | { nobody: keyof typeof WHY_NOBODY }> {
  const { rows } = await db.query<{ kind: 'customer' | 'admin'; admin_roles: AdminRole[]; is_member: boolean }>(
    `select u.kind, u.admin_roles, exists (select from membership m where m.user_id = u.id) as is_member
       from portal_user u where u.id = $1 and u.state = 'active'`,
    [user_id],
  );
  const user = rows[0];
  if (user === undefined) return { nobody: 'no_account' };
  if (user.kind === 'admin') return { kind: 'admin', user_id, admin_roles: user.admin_roles };
  const [first] = await selectMemberships(db, user_id);
  if (first !== undefined) return { kind: 'customer', user_id, ...first };
  return { nobody: user.is_member ? 'account_closed' : 'no_account' };
}

export interface OwnMembership {
  account_id: string;
  role: CustomerRole;
}

/** The accounts that somebody may act for; nobody acts for one that is closed. */
export async function selectMemberships(db: Queryable, user_id: string): Promise<OwnMembership[]> {
  const { rows } = await db.query<OwnMembership>(
    `select m.account_id, m.role from membership m join account a on a.id = m.account_id
      where m.user_id = $1 and a.state <> 'closed' order by m.role <> 'owner', m.created_at, m.account_id`,
    [user_id],
  );
  return rows;
}
