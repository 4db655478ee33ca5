import { Secret, TOTP } from 'otpauth';
import type { Queryable } from '../../domain/db/transaction.ts';
import { seal, unseal } from '../../domain/privacy/sealing.ts';

const PERIOD_SECONDS = 30;
/** A clock may be one step off to either side (RFC 6238, 5.2). */
const STEPS_OFF = 1;
const SECRET_BYTES = 20;

export interface TotpUser {
  user_id: string;
  /** The user's own data key. */
  key: Buffer;
}

const generator = (secret: Secret, label: string, issuer: string): TOTP =>
  new TOTP({ issuer, label, secret, algorithm: 'SHA1', digits: 6, period: PERIOD_SECONDS });

/** A secret that counts from its first right code on. Both forms of it are shown once. */
export async function beginTotp(
  tx: Queryable,
  { user_id, key }: TotpUser,
  label: string,
  issuer: string,
  given_base32?: string,
): Promise<{ secret_base32: string; uri: string }> {
  const secret = given_base32 === undefined ? new Secret({ size: SECRET_BYTES }) : Secret.fromBase32(given_base32);
  const sealed = seal(key, `totp.secret:${user_id}`, Buffer.from(secret.bytes));
  await tx.query(
    `insert into totp (user_id, secret_sealed) values ($1, $2)
     on conflict (user_id) do update set secret_sealed = excluded.secret_sealed, step_last = 0 where totp.confirmed_at is null`,
    [user_id, sealed],
  );
  return { secret_base32: secret.base32, uri: generator(secret, label, issuer).toString() };
}

/** Whether a code is right and was not used: each step's code counts once, and none before one that was used. */
export async function useTotp(db: Queryable, now: Date, { user_id, key }: TotpUser, code: string): Promise<boolean> {
  const { rows } = await db.query<{ secret_sealed: Buffer }>('select secret_sealed from totp where user_id = $1', [
    user_id,
  ]);
  const row = rows[0];
  if (row === undefined) return false;
  const bytes = unseal(key, `totp.secret:${user_id}`, row.secret_sealed);
  const secret = new Secret({ buffer: new Uint8Array(bytes).buffer });
  const delta = generator(secret, '', '').validate({ token: code, timestamp: now.getTime(), window: STEPS_OFF });
  if (delta === null) return false;
  const step = Math.floor(now.getTime() / 1000 / PERIOD_SECONDS) + delta;
  const used = await db.query('update totp set step_last = $2 where user_id = $1 and step_last < $2 returning 1', [
    user_id,
    step,
  ]);
  return used.rows.length > 0;
}

export async function confirmTotp(tx: Queryable, now: Date, user_id: string): Promise<void> {
  await tx.query('update totp set confirmed_at = coalesce(confirmed_at, $2) where user_id = $1', [user_id, now]);
}

/** With the recovery codes, which stand in for it. */
export async function removeTotp(tx: Queryable, user_id: string): Promise<void> {
  await tx.query('delete from recovery_code where user_id = $1', [user_id]);
  await tx.query('delete from totp where user_id = $1', [user_id]);
}
