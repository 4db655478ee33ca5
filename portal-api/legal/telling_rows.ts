import type { Queryable } from '../../domain/db/transaction.ts';
import type { DocumentKind } from './document_rows.ts';

/** When it is scheduled, and on the day that it comes into force. */
export const OCCASIONS = ['scheduled', 'in_force'] as const;
export type Occasion = (typeof OCCASIONS)[number];

/** Everybody is told of that version on that occasion. */
export interface Telling {
  kind: DocumentKind;
  version: number;
  occasion: Occasion;
}

/** False where everybody is told of it already. */
export async function insertTelling(tx: Queryable, { kind, version, occasion }: Telling, now: Date): Promise<boolean> {
  const { rows } = await tx.query(
    'insert into terms_telling (kind, version, occasion, begun_at) values ($1, $2, $3, $4) on conflict do nothing returning 1',
    [kind, version, occasion, now],
  );
  return rows.length > 0;
}

/** How far it has got; nobody else goes on with it until the transaction ends. */
export async function lockTelling(
  tx: Queryable,
  { kind, version, occasion }: Telling,
): Promise<{ told_up_to: string | null; done_at: Date | null } | undefined> {
  const { rows } = await tx.query<{ told_up_to: string | null; done_at: Date | null }>(
    'select told_up_to, done_at from terms_telling where kind = $1 and version = $2 and occasion = $3 for update',
    [kind, version, occasion],
  );
  return rows[0];
}

export async function recordTold(
  tx: Queryable,
  { kind, version, occasion }: Telling,
  { told_up_to, told, done_at }: { told_up_to: string | null; told: number; done_at: Date | null },
): Promise<void> {
  await tx.query(
    `update terms_telling set told_up_to = $4, told = told + $5, done_at = $6 where kind = $1 and version = $2 and occasion = $3`,
    [kind, version, occasion, told_up_to, told, done_at],
  );
}

/** Those who agree for accounts, each once however many accounts are theirs, in the order of their ids. */
export async function ownersAfter(
  tx: Queryable,
  after: string | null,
  limit: number,
): Promise<{ user_id: string; locale: string }[]> {
  const { rows } = await tx.query<{ user_id: string; locale: string }>(
    `select u.id as user_id, u.locale from portal_user u
      where u.state <> 'closed' and u.kind = 'customer' and ($1::uuid is null or u.id > $1)
        and exists (select 1 from membership m join account a on a.id = m.account_id
                     where m.user_id = u.id and m.role = 'owner' and a.state in ('active', 'suspended'))
      order by u.id limit $2`,
    [after, limit],
  );
  return rows;
}
