import pg from 'pg';
import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { unseal } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';
import { instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { ADMIN_ROLES } from '../identity/identity.ts';
import type { AdminRole } from '../identity/identity.ts';
import { adminActor } from '../identity/whose.ts';
import { queueRevocation } from '../session/revocations.ts';
import { inviteAdmin } from '../sign_in/make_admin.ts';
import { maskEmail } from './masking.ts';

const OWNERS = { admin: ['owner'] } as const;
const OWNERS_PROVEN = { ...OWNERS, step_up: true } as const;

const adminUser = z
  .object({
    user_id: uuid,
    email_masked: z.string(),
    roles: z.array(z.enum(ADMIN_ROLES)),
    state: z.enum(['active', 'locked', 'closed']),
    created_at: instantOut,
    version: z.int(),
  })
  .meta({ id: 'AdminUser' });

const rolesField = z.array(z.enum(ADMIN_ROLES)).min(1).max(ADMIN_ROLES.length);
const inOrder = (roles: readonly AdminRole[]): AdminRole[] => ADMIN_ROLES.filter((role) => roles.includes(role));

interface AdminRow {
  user_id: string;
  data_key_id: string;
  email_sealed: Buffer;
  roles: AdminRole[];
  state: 'active' | 'locked' | 'closed';
  created_at: Date;
  version: number;
}

export function adminUserRoutes(context: PortalContext): Route[] {
  return [listAdmins(context), makeAdmin(context), setRoles(context), setState(context)];
}

const columns = 'id as user_id, data_key_id, email_sealed, admin_roles as roles, state, created_at, version';

function listAdmins(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/admin/users',
      operation_id: 'admin_list_admins',
      summary: 'The operator’s people and what they may do.',
      tag: 'admin users',
      policy: OWNERS,
      answers: { 200: { description: 'All of them.', json: z.object({ items: z.array(adminUser) }) } },
    },
    async () => {
      const { rows } = await context.pool.query<AdminRow>(
        `select ${columns} from portal_user where kind = 'admin' order by created_at, id limit 1000`,
      );
      const items: z.input<typeof adminUser>[] = [];
      for (const row of rows) items.push(await adminUserOf(context, context.pool, row));
      return { status: 200, body: { items } };
    },
  );
}

/** With the half of signing in that is handed over; the other half goes to the address. */
const madeAdmin = z.object({
  user_id: uuid,
  /** Of the app that makes codes: to be typed, or shown as a QR code. */
  totp: z.object({ secret_base32: z.string(), uri: z.string() }),
});

function makeAdmin({ pool, ring }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/admin/users',
      operation_id: 'admin_make_admin',
      summary:
        'Let somebody work here: a code to set a password goes to their address, and you hand the second factor over.',
      tag: 'admin users',
      policy: OWNERS_PROVEN,
      idempotent: true,
      secret_answer: { found_at: '/v1/admin/users', new_secret_at: null },
      body: z.object({ email: z.email().max(254), name: line(100), roles: rolesField }),
      answers: { 201: { description: 'The second factor is shown this once.', json: madeAdmin } },
      problems: ['conflict'],
    },
    async ({ body: { email, name, roles: wished }, identity, now }) => {
      const roles = inOrder(wished);
      const { user_id, secret_base32, uri } = await inTransaction(pool, async (tx) => {
        const made = await inviteAdmin(tx, ring, now, { email, name, roles });
        if (made === null)
          throw new Problem('conflict', 'Somebody of this address works here already. Change their roles.');
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'admin_user.make', account_id: null },
          ...{ subject: `user:${made.user_id}`, detail: { roles } },
        });
        return made;
      });
      return { status: 201, body: { user_id, totp: { secret_base32, uri } } };
    },
  );
}

function setRoles(context: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/users/{user_id}/roles',
      operation_id: 'admin_set_roles',
      summary: 'What somebody may do. Wherever they are signed in, they have to sign in again.',
      tag: 'admin users',
      policy: OWNERS_PROVEN,
      params: z.object({ user_id: uuid }),
      versioned: true,
      body: z.object({ roles: rolesField }),
      answers: { 200: { description: 'From now on.', json: adminUser } },
      problems: ['conflict'],
    },
    async ({ params: { user_id }, body, version, identity, now }) => {
      const roles = inOrder(body.roles);
      const changed = await change(context, user_id, async (tx) => {
        const before = await lockedAt(tx, user_id, version);
        await tx.query('update portal_user set admin_roles = $2, version = version + 1 where id = $1', [
          user_id,
          roles,
        ]);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'admin_user.set_roles', account_id: null },
          ...{ subject: `user:${user_id}`, detail: { from: before.roles, to: roles } },
        });
        return adminUserOf(context, tx, { ...before, roles, version: before.version + 1 });
      });
      return { status: 200, body: changed, version: changed.version };
    },
  );
}

function setState(context: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/admin/users/{user_id}/state',
      operation_id: 'admin_set_admin_state',
      summary: 'Lock somebody out, let them in again, or end their sign-in for good.',
      tag: 'admin users',
      policy: OWNERS_PROVEN,
      params: z.object({ user_id: uuid }),
      versioned: true,
      body: z.object({ state: z.enum(['active', 'locked', 'closed']) }),
      answers: { 200: { description: 'From now on.', json: adminUser } },
      problems: ['conflict', 'too_late'],
    },
    async ({ params: { user_id }, body: { state }, version, identity, now }) => {
      const changed = await change(context, user_id, async (tx) => {
        const before = await lockedAt(tx, user_id, version);
        if (before.state === 'closed') throw new Problem('too_late', 'It is ended for good.');
        await tx.query('update portal_user set state = $2, version = version + 1 where id = $1', [user_id, state]);
        await appendAudit(tx, {
          ...{ at: now, actor: adminActor(identity), action: 'admin_user.set_state', account_id: null },
          ...{ subject: `user:${user_id}`, detail: { from: before.state, to: state } },
        });
        return adminUserOf(context, tx, { ...before, state, version: before.version + 1 });
      });
      return { status: 200, body: changed, version: changed.version };
    },
  );
}

/** A session carries the roles with which it began, so that none outlives a change. */
async function change<T>(
  { pool, sessions }: PortalContext,
  user_id: string,
  work: (tx: Transaction) => Promise<T>,
): Promise<T> {
  try {
    const { changed, revocation } = await inTransaction(pool, async (tx) => ({
      revocation: await queueRevocation(tx, { user_id, account_id: null, except: null }),
      changed: await work(tx),
    }));
    await sessions.carryOut(revocation);
    return changed;
  } catch (error) {
    // What the trigger last_owner_stays raises.
    if (!(error instanceof pg.DatabaseError) || error.code !== 'LD002') throw error;
    throw new Problem('conflict', 'Somebody has to stay owner. Make another one first.');
  }
}

async function lockedAt(tx: Transaction, user_id: string, version: number | null): Promise<AdminRow> {
  const { rows } = await tx.query<AdminRow>(
    `select ${columns} from portal_user where id = $1 and kind = 'admin' for no key update`,
    [user_id],
  );
  const [row] = rows;
  if (row === undefined) throw new Problem('not_found');
  if (row.version !== version) throw new Problem('version_conflict', 'Somebody else has changed it. Read it again.');
  return row;
}

async function adminUserOf({ keys }: PortalContext, db: Queryable, row: AdminRow): Promise<z.input<typeof adminUser>> {
  const { user_id, data_key_id, email_sealed, roles, state, created_at, version } = row;
  const email = unseal(await keys.open(db, data_key_id), `portal_user.email:${user_id}`, email_sealed).toString();
  return { user_id, email_masked: maskEmail(email), roles, state, created_at, version };
}
