import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import { KeyDestroyed } from '../../domain/privacy/data_keys.ts';
import { unseal } from '../../domain/privacy/sealing.ts';
import { timeQuery, viewOnRecord, viewQuery } from '../audit/view_on_record.ts';
import type { PortalContext } from '../context.ts';
import { maskEmail, maskName, maskPhone } from '../desk/masking.ts';
import { decodeCursor, page, pageOf } from '../http/cursor.ts';
import { instantOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';

const FIELDS = ['name', 'locale', 'email', 'phone', 'password', 'passkey', 'totp', 'recovery_codes', 'google'] as const;
type Field = (typeof FIELDS)[number];

const shape = z
  .object({
    change_id: uuid,
    at: instantOut,
    /** Whose it is, and who changed it: nobody else can. */
    user_id: uuid,
    field: z.enum(FIELDS),
    /** Null where there was nothing, where his data was erased, and of what he signs in with: only that it changed is kept. */
    before_masked: z.string().nullable(),
    after_masked: z.string().nullable(),
    /** From where. */
    address: z.string().nullable(),
  })
  .meta({ id: 'ProfileChangeAtTheDesk' });

type Item = z.input<typeof shape> & { at: Date };

interface ChangeRow {
  change_id: string;
  at: Date;
  user_id: string;
  field: Field;
  before_sealed: Buffer | null;
  after_sealed: Buffer | null;
  address: string | null;
  data_key_id: string;
}

const changeQuery = viewQuery.omit({ account_id: true }).extend({
  user_id: uuid.optional(),
  field: z.enum(FIELDS).optional(),
  ...timeQuery,
});

/** What a customer’s people changed about themselves, as whoever has to tell a takeover from a move sees it. */
export function changeDeskRoutes(context: PortalContext): Route[] {
  const { pool } = context;
  return [
    route(
      {
        method: 'get',
        path: '/v1/admin/customers/{account_id}/profile-changes',
        operation_id: 'admin_list_profile_changes',
        summary: 'What whoever may act for an account changed about themselves, masked. That you saw it is on record.',
        tag: 'admin customers',
        policy: { admin: ['support', 'kyc', 'privacy', 'owner'] },
        params: z.object({ account_id: uuid }),
        query: changeQuery,
        answers: { 200: { description: 'The newest first.', json: pageOf(shape) } },
        problems: ['not_found'],
      },
      async ({ params: { account_id }, query, identity, now }) => {
        const after = decodeCursor(query.cursor, z.tuple([z.iso.datetime(), uuid]));
        const subject = `account:${account_id}`;
        const view = { action: 'profile_changes.view', account_id, subject, purpose: query.purpose };
        const shown = await viewOnRecord(pool, { identity, now }, view, async (tx) => {
          const { rowCount } = await tx.query('select 1 from account where id = $1', [account_id]);
          if (rowCount === 0) throw new Problem('not_found', 'There is no such account.');
          const rows = await selectChanges(tx, account_id, query, after);
          const masked: Item[] = [];
          for (const row of rows) masked.push(await maskChange(context, tx, row));
          return masked;
        });
        const key = ({ at, change_id }: Item) => [at.toISOString(), change_id];
        return { status: 200, body: page(shown, query.limit, { key, item: (row) => row }) };
      },
    ),
  ];
}

async function selectChanges(
  db: Queryable,
  account_id: string,
  { user_id, field, from, to, limit }: z.output<typeof changeQuery>,
  after: readonly [string, string] | null,
): Promise<ChangeRow[]> {
  const { rows } = await db.query<ChangeRow>(
    // As in the customer's own list: a cursor counts milliseconds.
    `select c.id as change_id, date_trunc('milliseconds', c.at) as at, c.user_id, c.field, c.before_sealed, c.after_sealed, abbrev(c.address) as address, u.data_key_id
       from profile_change c join portal_user u on u.id = c.user_id
      where c.user_id in (select m.user_id from membership m where m.account_id = $1)
        and ($2::uuid is null or c.user_id = $2) and ($3::text is null or c.field = $3)
        and ($4::timestamptz is null or c.at >= $4) and ($5::timestamptz is null or c.at < $5)
        and ($6::timestamptz is null or (date_trunc('milliseconds', c.at), c.id) < ($6, $7::uuid))
      order by date_trunc('milliseconds', c.at) desc, c.id desc limit $8`,
    [
      ...[account_id, user_id ?? null, field ?? null, from ?? null, to ?? null],
      ...[after?.[0] ?? null, after?.[1] ?? null, limit + 1],
    ],
  );
  return rows;
}

async function maskChange({ keys }: PortalContext, db: Queryable, row: ChangeRow): Promise<Item> {
  const { change_id, at, user_id, field, before_sealed, after_sealed, address, data_key_id } = row;
  const told = { change_id, at, user_id, field, address };
  if (before_sealed === null && after_sealed === null) return { ...told, before_masked: null, after_masked: null };
  try {
    const key = await keys.open(db, data_key_id);
    const masked = (side: 'before' | 'after', sealed: Buffer | null): string | null =>
      sealed === null ? null : maskOf(field, unseal(key, `profile_change.${side}:${change_id}`, sealed).toString());
    return { ...told, before_masked: masked('before', before_sealed), after_masked: masked('after', after_sealed) };
  } catch (error) {
    if (!(error instanceof KeyDestroyed)) throw error;
    return { ...told, before_masked: null, after_masked: null };
  }
}

/** Which language somebody reads says nothing of who he is. */
function maskOf(field: Field, value: string): string {
  switch (field) {
    case 'email':
      return maskEmail(value);
    case 'phone':
      return maskPhone(value);
    case 'locale':
      return value;
    default:
      return maskName(value);
  }
}
