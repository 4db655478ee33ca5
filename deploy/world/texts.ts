import { createHash, randomBytes, randomUUID } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';
import { hashPassword } from '../../domain/texts/esmes/bind_password.ts';

/** A key by which an account's programs send texts; it is shown once, here. */
export async function makeApiKey(db: Queryable, account_id: string): Promise<string> {
  const secret = `ld_${randomBytes(32).toString('base64url')}`;
  await keepApiKey(db, account_id, secret);
  return secret;
}

/** The same with a secret that is known already; made where it is missing. */
export async function keepApiKey(db: Queryable, account_id: string, secret: string): Promise<void> {
  await db.query(
    `insert into api_key (id, account_id, name, secret_sha256) values ($1, $2, 'made by hand', $3)
     on conflict (secret_sha256) do nothing`,
    [randomUUID(), account_id, createHash('sha256').update(secret).digest('hex')],
  );
}

export interface BindWishes {
  id: string;
  carrier_id: number;
  host: string;
  port: number;
  system_id: string;
  password: string;
  window_max?: number;
  texts_per_second_max?: number;
  /** Further columns of carrier_bind. */
  more?: Readonly<Record<string, unknown>>;
}

/** A connection to a carrier's SMSC, which the gateway makes as soon as the row is there; one that is there stays as it is. */
export async function makeBind(db: Queryable, { more = {}, ...wishes }: BindWishes): Promise<void> {
  const row = { window_max: 200, texts_per_second_max: 100_000, ...wishes, ...more };
  const columns = Object.keys(row);
  await db.query(
    `insert into carrier_bind (${columns.join(', ')}) values (${columns.map((_, n) => `$${n + 1}`).join(', ')})
     on conflict (id) do nothing`,
    Object.values(row),
  );
}

export interface EsmeWishes {
  system_id: string;
  /** Eight characters at most (SMPP 3.4, 5.2.2). */
  password: string;
  /** Further columns of esme. */
  more?: Readonly<Record<string, unknown>>;
}

/** By which a customer binds to our SMSC; the password is told anew where it is there. */
export async function makeEsme(db: Queryable, account_id: string, wishes: EsmeWishes): Promise<void> {
  const { more = {}, system_id, password } = wishes;
  const row = { system_id, account_id, password_scrypt: await hashPassword(password), ...more };
  const columns = Object.keys(row);
  await db.query(
    `insert into esme (${columns.join(', ')}) values (${columns.map((_, n) => `$${n + 1}`).join(', ')})
     on conflict (system_id) do update set password_scrypt = excluded.password_scrypt`,
    Object.values(row),
  );
}
