import { createHash } from 'node:crypto';
import type { Queryable } from '../../../domain/db/transaction.ts';
import type { DataKeys } from '../../../domain/privacy/data_keys.ts';
import { readHolderName } from '../../profile/holder_name.ts';

export const PROVIDER_FIELDS = ['holder_name', 'party', 'home_country'] as const;
export type ProviderField = (typeof PROVIDER_FIELDS)[number];

/** What opens the name of a holder, which is sealed; only where no rule asks for names can it be done without. */
export interface HolderSource {
  pool: Queryable;
  keys?: DataKeys;
}

/** What the rule for such a number has the provider told of its holder; nothing where there is no rule. */
export async function requiredFields(
  source: HolderSource,
  { number, account_id, provider }: { number: string; account_id: string; provider: string },
): Promise<Partial<Record<ProviderField, string>>> {
  const { rows } = await source.pool.query<{ fields: ProviderField[]; party: string; home_country: string }>(
    `select r.fields, a.party, a.home_country
       from number_offer o join provider_rule r on r.provider = $3 and r.country = o.country and r.number_type = o.number_type
            join account a on a.id = $2
      where o.number = $1`,
    [number, account_id, provider],
  );
  const row = rows[0];
  if (row === undefined) return {};
  const { fields, party, home_country } = row;
  const holder_name = fields.includes('holder_name') ? await openHolderName(source, account_id) : '';
  const known: Record<ProviderField, string> = { holder_name, party, home_country };
  return Object.fromEntries(fields.toSorted().map((field) => [field, known[field]]));
}

/** The account itself is called after its kind, which tells a provider nothing; one that never registered is called by its holder's name. */
async function openHolderName({ pool, keys }: HolderSource, account_id: string): Promise<string> {
  if (keys === undefined) throw new Error('A provider is to be told the name of a holder, and nothing opens it here.');
  const name = await readHolderName({ keys }, pool, account_id);
  if (name === null) throw new Error(`There is no account ${account_id}.`);
  return name;
}

export interface Submission {
  order_id: string;
  provider: string;
  account_id: string;
  /** Null: of who ordered the number. */
  transfer_id: string | null;
}

/**
 * Written before anything leaves, so that nothing is known outside of which there is no row here. What leaves once more, after the provider
 * was asked to forget it, is known there again.
 */
export async function recordSubmission(
  db: Queryable,
  { order_id, provider, account_id, transfer_id }: Submission,
  fields: Readonly<Record<string, string>>,
  now: Date,
): Promise<void> {
  const content = createHash('sha256').update(JSON.stringify(Object.entries(fields)));
  await db.query(
    `insert into provider_submission (order_id, provider, account_id, fields, content_sha256, submitted_at, transfer_id)
     values ($1, $2, $3, $4, $5, $6, $7)
     on conflict (order_id, provider, account_id, coalesce(transfer_id, order_id)) do update set deletion_asked_at = null`,
    [...[order_id, provider, account_id, Object.keys(fields)], content.digest('hex'), now, transfer_id],
  );
}

/** The provider has another holder now, and was thereby asked to forget those before. */
export async function recordReplaced(db: Queryable, order_id: string, account_id: string, now: Date): Promise<void> {
  await db.query(
    `update provider_submission set deletion_asked_at = $3
      where order_id = $1 and account_id <> $2 and deletion_asked_at is null`,
    [order_id, account_id, now],
  );
}

/** The provider refused a new holder, and keeps nothing of him. */
export async function recordRefused(db: Queryable, transfer_id: string, now: Date): Promise<void> {
  await db.query(
    'update provider_submission set deletion_asked_at = $2 where transfer_id = $1 and deletion_asked_at is null',
    [transfer_id, now],
  );
}

/** By which order a provider knows a number, and whether a transfer waits for it. */
export interface HasToKnow {
  order_id: string;
  on_transfer: 'told' | 'asked';
}

/**
 * Null: no rule has a provider told of the holder of such a number, and none was told of the one that it has. By an order from before the
 * number left us nobody knows it any more, though it came back.
 */
export async function whoHasToKnow(db: Queryable, number: string): Promise<HasToKnow | null> {
  const { rows } = await db.query<HasToKnow>(
    `select r.id as order_id, coalesce(p.on_transfer, 'told') as on_transfer
       from (select n.id, n.number, n.provider from number_order n
              where n.number = $1 and n.state = 'active'
                and not exists (select from number_holding h
                                 where h.number = n.number and h.end_reason = 'ported_out' and h.held_to >= n.state_since)
              order by n.state_since desc limit 1) r
       join number_offer o on o.number = r.number
       left join provider_rule p on p.provider = r.provider and p.country = o.country and p.number_type = o.number_type
      where p.provider is not null
         or exists (select from provider_submission s where s.order_id = r.id and s.deletion_asked_at is null and cardinality(s.fields) > 0)`,
    [number],
  );
  return rows[0] ?? null;
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
