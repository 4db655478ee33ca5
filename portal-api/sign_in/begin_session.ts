import { z } from 'zod';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import type { AdminRole, CustomerRole } from '../identity/identity.ts';
import type { NewSession } from '../identity/sessions.ts';
import { isUndeliverable } from '../notices/bounce_rows.ts';
import { sessionCookie } from '../session/session_cookie.ts';
import { recordLogin } from './login_events.ts';
import type { LoginMethod, Visitor } from './login_events.ts';

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

/** A session, and the cookie that carries it. */
export async function beginSession(
  { pool, sessions, cookie_name, settings }: PortalContext,
  who: WhoSignsIn,
  visitor: Visitor,
): Promise<SignedInReply> {
  const session: NewSession =
    who.kind === 'customer'
      ? { ...who, admin_roles: [], ...visitor }
      : { ...who, account_id: null, role: null, ...visitor };
  const { token, csrf_token } = await sessions.begin(session);
  const { user_id, account_id, role, admin_roles } = session;
  const email_is_undeliverable = await isUndeliverable(pool, user_id);
  return {
    body: { kind: 'signed_in', user_id, account_id, role, admin_roles, email_is_undeliverable, csrf_token },
    cookies: [sessionCookie(cookie_name, token, settings.SESSION_LIFE_MS)],
  };
}

/** Signs somebody in who has proven who it is: written down, then told. */
export async function signIn(
  context: PortalContext,
  user_id: string,
  method: LoginMethod,
  visitor: Visitor,
): Promise<SignedInReply> {
  const who = await inTransaction(context.pool, async (tx) => {
    const found = await whoSignsIn(tx, user_id);
    if (found !== null) await recordLogin(tx, context.now(), { user_id, method, result: 'signed_in' }, visitor);
    return found;
  });
  if (who === null) {
    throw new Problem('not_permitted', 'There is no account left that you may use. Ask its owner to invite you again.');
  }
  return beginSession(context, who, visitor);
}

/** For which account somebody acts: the first that they own, or else may use; they can change to another one later. */
async function whoSignsIn(tx: Transaction, user_id: string): Promise<WhoSignsIn | null> {
  const { rows } = await tx.query<{ kind: 'customer' | 'admin'; admin_roles: AdminRole[] }>(
    `select kind, admin_roles from portal_user where id = $1 and state = 'active'`,
    [user_id],
  );
  const user = rows[0];
  if (user === undefined) return null;
  if (user.kind === 'admin') return { kind: 'admin', user_id, admin_roles: user.admin_roles };
  const [first] = await selectMemberships(tx, user_id);
  return first === undefined ? null : { kind: 'customer', user_id, ...first };
}

export interface OwnMembership {
  account_id: string;
  role: CustomerRole;
}

export async function selectMemberships(db: Queryable, user_id: string): Promise<OwnMembership[]> {
  const { rows } = await db.query<OwnMembership>(
    `select m.account_id, m.role from membership m join account a on a.id = m.account_id
      where m.user_id = $1 order by a.state = 'closed', m.role <> 'owner', m.created_at, m.account_id`,
    [user_id],
  );
  return rows;
}
