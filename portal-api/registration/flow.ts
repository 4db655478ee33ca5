import { createHash } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';
import { seal, unseal } from '../../domain/privacy/sealing.ts';
import type { DataKeys } from '../../domain/privacy/data_keys.ts';
import { z } from 'zod';

/*
 *             both codes right
 *   proving ───────────────────> done
 *      │
 *      └── an hour passes ─────> abandoned
 */

export const FLOW_LIFE_MS = 3_600_000;

const wishesSchema = z.object({
  email: z.string(),
  /** +E.164. */
  phone: z.string(),
  name: z.string(),
  business_name: z.string().nullable(),
});

/** What was typed that is personal. */
export type Wishes = z.infer<typeof wishesSchema>;

export interface NewFlow {
  id: string;
  token: string;
  data_key: { id: string; key: Buffer };
  wishes: Wishes;
  party: 'person' | 'business';
  home_country: string;
  time_zone: string;
  locale: string;
  document_ids: readonly string[];
  invitation_id: string | null;
  email_index: Buffer;
}

/** A registration that is being proven. */
export interface Flow {
  id: string;
  data_key: { id: string; key: Buffer };
  wishes: Wishes;
  party: 'person' | 'business';
  home_country: string;
  time_zone: string;
  locale: string;
  document_ids: readonly string[];
  invitation_id: string | null;
  email_index: Buffer;
  email_verified_at: Date | null;
  phone_verified_at: Date | null;
  expires_at: Date;
}

const tokenHash = (token: string): Buffer => createHash('sha256').update(token).digest();

export async function insertFlow(tx: Queryable, now: Date, flow: NewFlow): Promise<{ expires_at: Date }> {
  const expires_at = new Date(now.getTime() + FLOW_LIFE_MS);
  const wishes = Buffer.from(JSON.stringify(flow.wishes));
  await tx.query(
    `insert into registration_flow (id, token_sha256, data_key_id, wishes_sealed, party, home_country, time_zone, locale, document_ids,
                                    invitation_id, email_index, created_at, expires_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
    [
      ...[flow.id, tokenHash(flow.token), flow.data_key.id],
      seal(flow.data_key.key, `registration_flow.wishes:${flow.id}`, wishes),
      ...[flow.party, flow.home_country, flow.time_zone, flow.locale, flow.document_ids, flow.invitation_id],
      ...[flow.email_index, now, expires_at],
    ],
  );
  return { expires_at };
}

interface FlowRow extends Omit<Flow, 'data_key' | 'wishes'> {
  data_key_id: string;
  wishes_sealed: Buffer;
}

/** The registration of that secret, while it can be carried on. With `lock`, nobody else carries it on before this transaction ends. */
export async function findFlow(
  db: Queryable,
  keys: DataKeys,
  now: Date,
  token: string,
  { lock }: { lock: boolean },
): Promise<Flow | null> {
  const { rows } = await db.query<FlowRow>(
    `select id, data_key_id, wishes_sealed, party, home_country, time_zone, locale, document_ids, invitation_id, email_index,
            email_verified_at, phone_verified_at, expires_at
       from registration_flow where token_sha256 = $1 and state = 'proving' and expires_at > $2 ${lock ? 'for update' : ''}`,
    [tokenHash(token), now],
  );
  const row = rows[0];
  if (row === undefined) return null;
  const { data_key_id, wishes_sealed, ...rest } = row;
  const key = await keys.open(db, data_key_id);
  const wishes: unknown = JSON.parse(unseal(key, `registration_flow.wishes:${row.id}`, wishes_sealed).toString());
  return { ...rest, data_key: { id: data_key_id, key }, wishes: wishesSchema.parse(wishes) };
}

export async function markProven(tx: Queryable, flow_id: string, what: 'email' | 'phone', now: Date): Promise<void> {
  await tx.query(
    `update registration_flow set ${what === 'email' ? 'email_verified_at' : 'phone_verified_at'} = $2 where id = $1`,
    [flow_id, now],
  );
}

export async function finishFlow(tx: Queryable, flow_id: string, user_id: string): Promise<void> {
  await tx.query(`update registration_flow set state = 'done', user_id = $2, wishes_sealed = null where id = $1`, [
    flow_id,
    user_id,
  ]);
}

/** Ends what nobody came back to; the keys of what they had typed are destroyed. Says how many those were. */
export async function abandonFlows(tx: Queryable, keys: DataKeys, now: Date, rows_max: number): Promise<number> {
  const { rows } = await tx.query<{ data_key_id: string }>(
    `update registration_flow set state = 'abandoned', wishes_sealed = null
      where id in (select id from registration_flow where state = 'proving' and expires_at <= $1
                    order by expires_at limit $2 for update skip locked)
     returning data_key_id`,
    [now, rows_max],
  );
  for (const { data_key_id } of rows) await keys.destroy(tx, data_key_id, now);
  return rows.length;
}

/** Those that were abandoned before then; how far they had come is counted elsewhere. */
export async function forgetFlows(db: Queryable, before: Date): Promise<void> {
  await db.query(`delete from registration_flow where state = 'abandoned' and expires_at < $1`, [before]);
}
