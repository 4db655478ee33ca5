import { createHmac, randomInt } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';

const CODES = 10;
/** Without letters and digits that look alike; twelve of them are 59 bits. */
const ALPHABET = 'abcdefghjkmnpqrstuvwxyz23456789';
const LENGTH = 12;

const spelling = (code: string): string => code.toLowerCase().replaceAll(/[^a-z0-9]/gu, '');

function hmacOf(ring: KeyRing, user_id: string, code: string): Buffer {
  return createHmac('sha256', ring.index_key)
    .update(`recovery\0${user_id}\0${spelling(code)}`)
    .digest();
}

/** Ten new codes, instead of all before them. Shown once: only their hashes are kept. */
export async function renewRecoveryCodes(tx: Queryable, ring: KeyRing, user_id: string): Promise<string[]> {
  const codes = Array.from({ length: CODES }, () => {
    const signs = Array.from({ length: LENGTH }, () => ALPHABET.charAt(randomInt(ALPHABET.length))).join('');
    return signs.replaceAll(/(.{4})(?=.)/gu, '$1-');
  });
  await tx.query('delete from recovery_code where user_id = $1', [user_id]);
  await tx.query('insert into recovery_code (user_id, code_hmac) select $1, unnest($2::bytea[])', [
    user_id,
    codes.map((code) => hmacOf(ring, user_id, code)),
  ]);
  return codes;
}

/** Uses one up. False where it is none, or was used. */
export async function useRecoveryCode(
  db: Queryable,
  ring: KeyRing,
  now: Date,
  user_id: string,
  code: string,
): Promise<boolean> {
  const { rows } = await db.query(
    'update recovery_code set used_at = $3 where user_id = $1 and code_hmac = $2 and used_at is null returning 1',
    [user_id, hmacOf(ring, user_id, code), now],
  );
  return rows.length > 0;
}

export async function countRecoveryCodes(db: Queryable, user_id: string): Promise<number> {
  const { rows } = await db.query<{ left: number }>(
    'select count(*)::int as left from recovery_code where user_id = $1 and used_at is null',
    [user_id],
  );
  return rows[0]?.left ?? 0;
}
