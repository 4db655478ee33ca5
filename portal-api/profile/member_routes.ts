import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { instantOut, uuid } from '../http/fields.ts';
import { mustBeOfAccount } from '../http/idempotency.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { Customer, CustomerRole } from '../identity/identity.ts';
import { EVERY_CUSTOMER, OWNER } from '../identity/policy.ts';
import type { Policy } from '../identity/policy.ts';
import { queueRevocation } from '../session/revocations.ts';
import { readPerson } from '../sign_in/users.ts';
import {
  acceptInvitation,
  accountOfInvitation,
  findUsableInvitation,
  insertInvitation,
  openInvitations,
  revokeInvitation,
} from './invitations.ts';
import { customerOf } from '../identity/whose.ts';
import { dropCallersOf } from './verified_callers.ts';

const owner: Policy = { customer: OWNER };
const provenOwner: Policy = { customer: OWNER, step_up: true };
const role = z.enum(['owner', 'billing', 'member']);

/** Who may act for an account. */
export function memberRoutes(context: PortalContext): Route[] {
  return [
    listMembers(context),
    changeRole(context),
    removeMember(context),
    invite(context),
    listInvitations(context),
    withdraw(context),
    accept(context),
  ];
}

/** What an owner did about who may use the account; last in its transaction. */
export function auditOwner(
  tx: Queryable,
  at: Date,
  { user_id, account_id }: Customer,
  action: string,
  subject: string,
  detail: Readonly<Record<string, unknown>> = {},
): Promise<void> {
  return appendAudit(tx, { at, actor: { kind: 'customer', id: user_id }, action, account_id, subject, detail });
}

const memberShape = z.object({
  user_id: uuid,
  name: z.string().nullable(),
  email: z.string(),
  role,
  since: instantOut,
  is_you: z.boolean(),
  /** To be sent as If-Match with a change. */
  version: z.int(),
});

/** Made of what can be edited, and of when somebody came: who was removed and came again is another one. */
const VERSION = `('x' || left(md5(concat_ws(' ', role, extract(epoch from created_at))), 7))::bit(28)::integer`;

function listMembers(context: PortalContext): Route {
  const { pool } = context;
  return route(
    {
      method: 'get',
      path: '/v1/members',
      operation_id: 'list_members',
      summary: 'Who may act for the account.',
      tag: 'members',
      policy: owner,
      answers: { 200: { description: 'The first one first.', json: z.object({ items: z.array(memberShape) }) } },
    },
    async ({ identity }) => {
      const { account_id, user_id: own_id } = customerOf(identity);
      const { rows } = await pool.query<{ user_id: string; role: CustomerRole; since: Date; version: number }>(
        `select user_id, role, created_at as since, ${VERSION} as version from membership where account_id = $1
          order by created_at, user_id limit 200`,
        [account_id],
      );
      const items = [];
      for (const row of rows) {
        const { name, email } = await readPerson(context, pool, row.user_id);
        items.push({ ...row, name, email, is_you: row.user_id === own_id });
      }
      return { status: 200, body: { items } };
    },
  );
}

/** Of the trigger that keeps an owner with every account. */
const KEEPS_OWNER = 'LD001';

/** Changes a membership in a transaction; throws `conflict` where nobody would own the account any more. */
async function changeMembership(
  { pool, sessions }: PortalContext,
  { account_id }: Customer,
  user_id: string,
  change: (tx: Transaction) => Promise<boolean>,
): Promise<void> {
  try {
    const revocation = await inTransaction(pool, async (tx) => {
      const queued = await queueRevocation(tx, { user_id, account_id, except: null });
      if (!(await change(tx))) throw new Problem('not_found');
      return queued;
    });
    // What they may do stands in their sessions: those for this account end, and one that is being begun with what they could before.
    await sessions.carryOut(revocation);
  } catch (error) {
    if ((error as { code?: unknown }).code !== KEEPS_OWNER) throw error;
    throw new Problem('conflict', 'An account keeps an owner. Make somebody else one first.');
  }
}

function changeRole(context: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/members/{user_id}',
      operation_id: 'change_member',
      summary: 'What somebody may do for the account. They are signed out of it.',
      tag: 'members',
      policy: provenOwner,
      versioned: true,
      params: z.object({ user_id: uuid }),
      body: z.object({ role }),
      answers: { 204: { description: 'Changed.', empty: true } },
      problems: ['not_found', 'conflict'],
    },
    async ({ identity, params, body, version, now }) => {
      const customer = customerOf(identity);
      await changeMembership(context, customer, params.user_id, async (tx) => {
        const known = await tx.query<{ version: number; role: CustomerRole }>(
          `select ${VERSION} as version, role from membership where account_id = $1 and user_id = $2 for no key update`,
          [customer.account_id, params.user_id],
        );
        const before = known.rows[0];
        if (before === undefined) return false;
        if (before.version !== version) {
          throw new Problem('version_conflict', 'Somebody else has changed it. Read it again.');
        }
        await tx.query('update membership set role = $3 where account_id = $1 and user_id = $2', [
          ...[customer.account_id, params.user_id, body.role],
        ]);
        if (body.role !== 'owner') await dropCallersOf(context, tx, { ...params, account_id: customer.account_id });
        await auditOwner(tx, now, customer, 'member.change', `portal_user:${params.user_id}`, {
          ...{ role: body.role, before: before.role },
        });
        return true;
      });
      return { status: 204 };
    },
  );
}

function removeMember(context: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/members/{user_id}',
      operation_id: 'remove_member',
      summary: 'Somebody may not act for the account any more, from now on.',
      tag: 'members',
      policy: provenOwner,
      params: z.object({ user_id: uuid }),
      answers: { 204: { description: 'Removed.', empty: true } },
      problems: ['not_found', 'conflict'],
    },
    async ({ identity, params, now }) => {
      const customer = customerOf(identity);
      await changeMembership(context, customer, params.user_id, async (tx) => {
        const { rows } = await tx.query('delete from membership where account_id = $1 and user_id = $2 returning 1', [
          customer.account_id,
          params.user_id,
        ]);
        if (rows.length === 0) return false;
        await dropCallersOf(context, tx, { ...params, account_id: customer.account_id });
        await auditOwner(tx, now, customer, 'member.remove', `portal_user:${params.user_id}`);
        return true;
      });
      return { status: 204 };
    },
  );
}

function invite(context: PortalContext): Route {
  const { pool, ring } = context;
  return route(
    {
      method: 'post',
      path: '/v1/members/invitations',
      operation_id: 'invite_member',
      summary: 'Mails somebody an invitation; they register by it, or accept it with the account that they have.',
      tag: 'members',
      policy: provenOwner,
      idempotent: true,
      body: z.object({ email: z.email().max(254), role }),
      answers: { 201: { description: 'It is on its way.', json: z.object({ invitation_id: uuid }) } },
      problems: ['too_many'],
    },
    async ({ identity, body, now, operation_id }) => {
      const customer = customerOf(identity);
      await inTransaction(pool, async (tx) => {
        const account_key = await lockAccountKey(context, tx, customer.account_id);
        const made_before = await accountOfInvitation(tx, operation_id);
        if (made_before !== null) {
          mustBeOfAccount(made_before, customer.account_id);
          return;
        }
        const open = await openInvitations(tx, now, customer.account_id, account_key);
        if (open.length >= OPEN_MAX) throw new Problem('too_many', 'Withdraw some of those that nobody accepted.');
        const { email, role: for_role } = body;
        await insertInvitation(tx, ring, now, {
          ...{ id: operation_id, account_id: customer.account_id, account_key, email, role: for_role },
          invited_by: customer.user_id,
        });
        await auditOwner(tx, now, customer, 'member.invite', `invitation:${operation_id}`, { role: for_role });
      });
      return { status: 201, body: { invitation_id: operation_id } };
    },
  );
}

/** Nobody mails half the world by us. */
const OPEN_MAX = 20;

async function lockAccountKey({ keys }: PortalContext, tx: Transaction, account_id: string): Promise<Buffer> {
  const { rows } = await tx.query<{ data_key_id: string | null }>(
    'select data_key_id from account where id = $1 for no key update',
    [account_id],
  );
  const data_key_id = rows[0]?.data_key_id ?? null;
  if (data_key_id === null) throw new Error(`The account ${account_id} has no data key.`);
  return keys.open(tx, data_key_id);
}

const invitationShape = z.object({
  invitation_id: uuid,
  email: z.string(),
  role,
  created_at: instantOut,
  expires_at: instantOut,
});

function listInvitations(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/members/invitations',
      operation_id: 'list_invitations',
      summary: 'Invitations that can still be accepted.',
      tag: 'members',
      policy: owner,
      answers: { 200: { description: 'The newest first.', json: z.object({ items: z.array(invitationShape) }) } },
    },
    async ({ identity, now }) => {
      const { account_id } = customerOf(identity);
      const items = await inTransaction(context.pool, async (tx) =>
        openInvitations(tx, now, account_id, await lockAccountKey(context, tx, account_id)),
      );
      return { status: 200, body: { items } };
    },
  );
}

function withdraw({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/members/invitations/{invitation_id}',
      operation_id: 'withdraw_invitation',
      summary: 'It cannot be accepted any more.',
      tag: 'members',
      policy: owner,
      params: z.object({ invitation_id: uuid }),
      answers: { 204: { description: 'Withdrawn.', empty: true } },
      problems: ['not_found'],
    },
    async ({ identity, params, now }) => {
      const customer = customerOf(identity);
      await inTransaction(pool, async (tx) => {
        const is_withdrawn = await revokeInvitation(tx, now, customer.account_id, params.invitation_id);
        if (!is_withdrawn) throw new Problem('not_found');
        await auditOwner(tx, now, customer, 'member.withdraw', `invitation:${params.invitation_id}`);
      });
      return { status: 204 };
    },
  );
}

function accept({ pool }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/invitations/acceptance',
      operation_id: 'accept_invitation',
      summary: 'Use the account that you are invited to; change to it afterwards.',
      tag: 'members',
      policy: { customer: EVERY_CUSTOMER },
      pace: 'guess',
      body: z.object({ invitation_token: z.string().regex(/^[A-Za-z0-9_-]{43}$/u) }),
      answers: { 200: { description: 'You may use it.', json: z.object({ account_id: uuid, role }) } },
      problems: ['not_found', 'conflict'],
    },
    async ({ identity, body, now }) => {
      const customer = customerOf(identity);
      const place = await inTransaction(pool, async (tx) => {
        const { rows } = await tx.query<{ email_index: Buffer }>('select email_index from portal_user where id = $1', [
          customer.user_id,
        ]);
        const email_index = rows[0]?.email_index;
        const found =
          email_index === undefined ? null : await findUsableInvitation(tx, now, body.invitation_token, email_index);
        if (found === null || !(await acceptInvitation(tx, now, found.id))) {
          throw new Problem('not_found', 'It is used up, withdrawn, too old or for another address.');
        }
        const made = await tx.query(
          'insert into membership (account_id, user_id, role) values ($1, $2, $3) on conflict do nothing returning 1',
          [found.account_id, customer.user_id, found.role],
        );
        if (made.rows.length === 0) throw new Problem('conflict', 'You may use that account already.');
        const joined = { ...customer, account_id: found.account_id };
        await auditOwner(tx, now, joined, 'member.join', `invitation:${found.id}`, { role: found.role });
        return { account_id: found.account_id, role: found.role };
      });
      return { status: 200, body: place };
    },
  );
}
