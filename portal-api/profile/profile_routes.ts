import { z } from 'zod';
import { appendAudit } from '../../domain/audit/append_audit.ts';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import { seal, unseal } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';
import { decodeCursor, page, pageOf, pageQuery } from '../http/cursor.ts';
import { instantOut, line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { selectMemberships } from '../sign_in/begin_session.ts';
import { SIGNED_IN } from '../sign_in/who_is_signed_in.ts';
import { readHolderName } from './holder_name.ts';
import { recordChange } from './profile_changes.ts';
import { readProfile } from './read_profile.ts';
import { signedInOf } from '../identity/whose.ts';

/** What somebody has told about themselves, and what became of it. */
export function profileRoutes(context: PortalContext): Route[] {
  return [showProfile(context), editProfile(context), listChanges(context)];
}

const role = z.enum(['owner', 'billing', 'member']);
const localeField = z.string().regex(/^[a-z]{2}(-[A-Z]{2})?$/u);

const profileShape = z
  .object({
    user_id: uuid,
    name: z.string().nullable(),
    email: z.string(),
    phone: z.string().nullable(),
    locale: localeField,
    /** The accounts that you may use. */
    accounts: z.array(z.object({ account_id: uuid, role, holder: z.string(), is_current: z.boolean() })),
    version: z.int(),
  })
  .meta({ id: 'Profile' });

async function profileOf(
  context: PortalContext,
  db: Queryable,
  user_id: string,
  current: string | null,
): Promise<z.input<typeof profileShape>> {
  const { name, email, phone, locale, version } = await readProfile(context, db, user_id, { lock: false });
  const memberships = await selectMemberships(db, user_id);
  const accounts = [];
  for (const membership of memberships) {
    const holder = (await readHolderName(context, db, membership.account_id)) ?? '';
    accounts.push({ ...membership, holder, is_current: membership.account_id === current });
  }
  return { user_id, name, email, phone, locale, accounts, version };
}

function showProfile(context: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/profile',
      operation_id: 'read_profile',
      summary: 'What you have told about yourself.',
      tag: 'profile',
      policy: SIGNED_IN,
      answers: { 200: { description: 'The profile.', json: profileShape } },
    },
    async ({ identity }) => {
      const signed_in = signedInOf(identity);
      const current = signed_in.kind === 'customer' ? signed_in.account_id : null;
      const body = await profileOf(context, context.pool, signed_in.user_id, current);
      return { status: 200, body, version: body.version };
    },
  );
}

function editProfile(context: PortalContext): Route {
  return route(
    {
      method: 'patch',
      path: '/v1/profile',
      operation_id: 'edit_profile',
      summary: 'Another name or language.',
      tag: 'profile',
      policy: SIGNED_IN,
      versioned: true,
      body: z.object({ name: line(100).optional(), locale: localeField.optional() }),
      answers: { 200: { description: 'As it is now.', json: profileShape } },
    },
    async ({ identity, body, version, now, address }) => {
      const signed_in = signedInOf(identity);
      const { user_id } = signed_in;
      const current = signed_in.kind === 'customer' ? signed_in.account_id : null;
      const changed = await inTransaction(context.pool, async (tx) => {
        const before = await readProfile(context, tx, user_id, { lock: true });
        if (before.version !== version) throw new Problem('version_conflict', 'Look at it again, then change it.');
        const { key } = before;
        const after = { name: body.name ?? before.name, locale: body.locale ?? before.locale };
        const fields = (['name', 'locale'] as const).filter((field) => after[field] !== before[field]);
        for (const field of fields) {
          const change = { user_id, key, field, before: before[field], after: after[field], address };
          await recordChange(tx, now, change);
        }
        if (fields.length > 0) {
          const name = after.name === null ? null : seal(key, `portal_user.name:${user_id}`, Buffer.from(after.name));
          await tx.query('update portal_user set name_sealed = $2, locale = $3, version = version + 1 where id = $1', [
            user_id,
            name,
            after.locale,
          ]);
        }
        const shown = await profileOf(context, tx, user_id, current);
        if (signed_in.kind === 'admin' && fields.length > 0) {
          const actor = { kind: 'admin', id: user_id } as const;
          const subject = `portal_user:${user_id}`;
          await appendAudit(tx, {
            at: now,
            actor,
            action: 'profile.edit',
            account_id: null,
            subject,
            detail: { fields },
          });
        }
        return shown;
      });
      return { status: 200, body: changed, version: changed.version };
    },
  );
}

const changeShape = z.object({
  change_id: uuid,
  at: instantOut,
  field: z.string(),
  before: z.string().nullable(),
  after: z.string().nullable(),
});

function listChanges(context: PortalContext): Route {
  const { pool } = context;
  return route(
    {
      method: 'get',
      path: '/v1/profile/changes',
      operation_id: 'list_profile_changes',
      summary: 'What was changed about you, and when.',
      tag: 'profile',
      policy: SIGNED_IN,
      query: pageQuery,
      answers: { 200: { description: 'The newest first.', json: pageOf(changeShape) } },
    },
    async ({ identity, query }) => {
      const { user_id } = signedInOf(identity);
      const { key } = await readProfile(context, pool, user_id, { lock: false });
      const after = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), z.uuid()]));
      const rows = await selectChanges(pool, user_id, after, query.limit + 1);
      const opened = (side: 'before' | 'after', id: string, sealed: Buffer | null): string | null =>
        sealed === null ? null : unseal(key, `profile_change.${side}:${id}`, sealed).toString();
      const body = page(rows, query.limit, {
        key: ({ at, change_id }) => [at.toISOString(), change_id],
        item: ({ change_id, at, field, before_sealed, after_sealed }) => ({
          ...{ change_id, at, field },
          before: opened('before', change_id, before_sealed),
          after: opened('after', change_id, after_sealed),
        }),
      });
      return { status: 200, body };
    },
  );
}

interface ChangeRow {
  change_id: string;
  at: Date;
  field: string;
  before_sealed: Buffer | null;
  after_sealed: Buffer | null;
}

async function selectChanges(
  db: Queryable,
  user_id: string,
  after: readonly [string, string] | null,
  rows_max: number,
): Promise<ChangeRow[]> {
  const { rows } = await db.query<ChangeRow>({
    name: 'profile_changes',
    text: `select id as change_id, date_trunc('milliseconds', at) as at, field, before_sealed, after_sealed
             from profile_change
            where user_id = $1 and ($2::timestamptz is null or (date_trunc('milliseconds', at), id) < ($2, $3::uuid))
            order by date_trunc('milliseconds', at) desc, id desc limit $4`,
    values: [user_id, after?.[0] ?? null, after?.[1] ?? null, rows_max],
  });
  return rows;
}
