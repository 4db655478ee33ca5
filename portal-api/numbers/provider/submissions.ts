import { createHash } from 'node:crypto';
import type { Queryable } from '../../../domain/db/transaction.ts';
import type { Order } from '../orders/order_rows.ts';

export const PROVIDER_FIELDS = ['holder_name', 'party', 'home_country'] as const;
export type ProviderField = (typeof PROVIDER_FIELDS)[number];

/** What the rule for such a number has the provider told of its holder; nothing where there is no rule. */
export async function requiredFields(db: Queryable, order: Order): Promise<Partial<Record<ProviderField, string>>> {
  const { rows } = await db.query<{ fields: ProviderField[] } & Record<ProviderField, string>>(
    `select r.fields, a.name as holder_name, a.party, a.home_country
       from number_offer o join provider_rule r on r.provider = $3 and r.country = o.country and r.number_type = o.number_type
            join account a on a.id = $2
      where o.number = $1`,
    [order.number, order.account_id, order.provider],
  );
  const row = rows[0];
  if (row === undefined) return {};
  return Object.fromEntries(row.fields.toSorted().map((field) => [field, row[field]]));
}

/** Written before anything leaves, so that nothing is known outside of which there is no row here. */
export async function recordSubmission(
  db: Queryable,
  { id, provider, account_id }: Order,
  fields: Readonly<Record<string, string>>,
  now: Date,
): Promise<void> {
  const content = createHash('sha256').update(JSON.stringify(Object.entries(fields)));
  await db.query(
    `insert into provider_submission (order_id, provider, account_id, fields, content_sha256, submitted_at)
     values ($1, $2, $3, $4, $5, $6) on conflict do nothing`,
    [...[id, provider, account_id, Object.keys(fields)], content.digest('hex'), now],
  );
}

export async function recordDeletion(db: Queryable, order_id: string, now: Date): Promise<void> {
  await db.query(
    'update provider_submission set deletion_asked_at = $2 where order_id = $1 and deletion_asked_at is null',
    [order_id, now],
  );
}

/** By which order the provider supplied a number last; null for one that it did not supply. */
export async function lastSuppliedOrder(db: Queryable, number: string): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(
    `select id from number_order where number = $1 and state = 'active' order by state_since desc limit 1`,
    [number],
  );
  return rows[0]?.id ?? null;
}
