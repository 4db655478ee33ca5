import { randomBytes } from 'node:crypto';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';

export const WEBHOOK_KINDS = ['receipt', 'text'] as const;
export type WebhookKind = (typeof WEBHOOK_KINDS)[number];

export const WEBHOOKS_MAX = 10;

/** Where a customer's server is told what becomes of texts. */
export interface Webhook {
  webhook_id: string;
  url: string;
  kinds: WebhookKind[];
  enabled: boolean;
  created_at: Date;
  /** Its ETag. */
  version: number;
}

/** Made of what can be edited: where the gateway switches one off, whoever read it before has to look again. */
const VERSION = `('x' || left(md5(concat_ws(' ', enabled, kinds::text, url)), 7))::bit(28)::integer`;

const columns = `id as webhook_id, url, kinds, enabled, created_at, ${VERSION} as version`;

/** As Standard Webhooks 1.0.0 writes it; the gateway signs with it, so that it is kept and not its hash. The portal cannot read it back. */
export const newSecret = (): string => `whsec_${randomBytes(32).toString('base64')}`;

export async function listWebhooks(db: Queryable, account_id: string): Promise<Webhook[]> {
  const { rows } = await db.query<Webhook>(
    `select ${columns} from webhook_endpoint where account_id = $1 order by created_at, id limit 100`,
    [account_id],
  );
  return rows;
}

export interface NewWebhook extends Omit<Webhook, 'enabled' | 'version'> {
  account_id: string;
  secret: string;
}

export type Inserted = { kind: 'inserted'; webhook: Webhook } | { kind: 'too_many' | 'of_another_account' };

/** Made anew under its id where it is there, as its secret was shown to nobody. */
export async function insertWebhook(tx: Transaction, made: NewWebhook): Promise<Inserted> {
  const { webhook_id, account_id, url, secret, kinds, created_at } = made;
  // Two at once take turns, and the second counts the first.
  await tx.query('select 1 from account where id = $1 for no key update', [account_id]);
  const { rows } = await tx.query<Webhook>(
    `insert into webhook_endpoint (id, account_id, url, secret, kinds, created_at)
     select $1, $2, $3, $4, $5, $6
      where (select count(*) from webhook_endpoint where account_id = $2 and id <> $1) < $7
     on conflict (id) do update set secret = $4 where webhook_endpoint.account_id = excluded.account_id
     returning ${columns}`,
    [webhook_id, account_id, url, secret, kinds, created_at, WEBHOOKS_MAX],
  );
  const webhook = rows[0];
  if (webhook !== undefined) return { kind: 'inserted', webhook };
  const known = await tx.query('select 1 from webhook_endpoint where id = $1 and account_id <> $2', [
    webhook_id,
    account_id,
  ]);
  return { kind: known.rows.length > 0 ? 'of_another_account' : 'too_many' };
}

export interface WhichWebhook {
  webhook_id: string;
  account_id: string;
}

export interface WebhookChange {
  url?: string | undefined;
  kinds?: readonly WebhookKind[] | undefined;
  enabled?: boolean | undefined;
}

export type ChangedWebhook = { kind: 'changed'; webhook: Webhook } | { kind: 'not_found' | 'changed_meanwhile' };

/** What is left out stays as it is. */
export async function changeWebhook(
  tx: Transaction,
  { webhook_id, account_id, version }: WhichWebhook & { version: number | null },
  { url, kinds, enabled }: WebhookChange,
): Promise<ChangedWebhook> {
  const { rows } = await tx.query<Webhook>(
    `update webhook_endpoint set url = coalesce($3, url), kinds = coalesce($4, kinds), enabled = coalesce($5, enabled)
      where id = $1 and account_id = $2 and ${VERSION} = $6 returning ${columns}`,
    [webhook_id, account_id, url ?? null, kinds ?? null, enabled ?? null, version],
  );
  const webhook = rows[0];
  if (webhook !== undefined) return { kind: 'changed', webhook };
  const known = await tx.query('select from webhook_endpoint where id = $1 and account_id = $2', [
    webhook_id,
    account_id,
  ]);
  return { kind: known.rows.length > 0 ? 'changed_meanwhile' : 'not_found' };
}

/** Null where the account has none of this id. */
export async function replaceSecret(
  tx: Transaction,
  { webhook_id, account_id }: WhichWebhook,
  secret: string,
): Promise<Webhook | null> {
  const { rows } = await tx.query<Webhook>(
    `update webhook_endpoint set secret = $3 where id = $1 and account_id = $2 returning ${columns}`,
    [webhook_id, account_id, secret],
  );
  return rows[0] ?? null;
}

/** False where the account has none of this id. */
export async function deleteWebhook(tx: Transaction, { webhook_id, account_id }: WhichWebhook): Promise<boolean> {
  const { rowCount } = await tx.query('delete from webhook_endpoint where id = $1 and account_id = $2', [
    webhook_id,
    account_id,
  ]);
  return (rowCount ?? 0) > 0;
}
