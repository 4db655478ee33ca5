import { randomUUID } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { PaymentProvider, SavedCard } from './payment_provider.ts';

export interface Method {
  id: string;
  brand: string;
  last4: string;
  expires_month: number;
  expires_year: number;
  created_at: Date;
}

const COLUMNS = 'id, brand, last4, expires_month, expires_year, created_at';

export async function listMethods(db: Queryable, account_id: string, provider: string): Promise<Method[]> {
  const { rows } = await db.query<Method>(
    `select ${COLUMNS} from payment_method where account_id = $1 and provider = $2 and removed_at is null order by created_at desc, id`,
    [account_id, provider],
  );
  return rows;
}

export async function findMethod(
  db: Queryable,
  account_id: string,
  provider: string,
  id: string,
): Promise<Method | null> {
  const { rows } = await db.query<Method>(
    `select ${COLUMNS} from payment_method where account_id = $1 and provider = $2 and id = $3 and removed_at is null`,
    [account_id, provider, id],
  );
  return rows[0] ?? null;
}

/** The method of that card, made where it is new; null where the token is another account's. */
export async function keepMethod(
  db: Queryable,
  provider: PaymentProvider['name'],
  account_id: string,
  card: SavedCard,
  now: Date,
): Promise<Method | null> {
  await db.query(
    `insert into payment_method (id, account_id, provider, provider_token, brand, last4, expires_month, expires_year, created_at)
     values ($1, $2, $3, $4, $5, $6, $7, $8, $9) on conflict do nothing`,
    [
      ...[randomUUID(), account_id, provider, card.token, card.brand, card.last4],
      ...[card.expires_month, card.expires_year, now],
    ],
  );
  const { rows } = await db.query<Method>(
    `select ${COLUMNS} from payment_method where account_id = $1 and provider = $2 and provider_token = $3 and removed_at is null`,
    [account_id, provider, card.token],
  );
  return rows[0] ?? null;
}

/** False where there is none. What fills the wallet by it stops, and so does what is tried again with it. */
export async function removeMethod(db: Queryable, account_id: string, id: string, now: Date): Promise<boolean> {
  const { rowCount } = await db.query(
    `with removed as (update payment_method set removed_at = $3 where account_id = $1 and id = $2 and removed_at is null returning id),
          stopped as (update auto_top_up a set enabled = false, stopped_because = 'card removed', version = a.version + 1
                       from removed r where a.method_id = r.id and a.enabled),
          withdrawn as (update dunning d set state = 'withdrawn', next_at = null from removed r where d.method_id = r.id and d.state = 'open')
     select 1 from removed`,
    [account_id, id, now],
  );
  return (rowCount ?? 0) > 0;
}
