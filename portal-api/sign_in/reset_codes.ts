import { createHash } from 'node:crypto';
import { codeHmac, isSameHmac } from '../codes/code_secret.ts';
import { consumeCode, tryCode } from '../codes/try_code.ts';
import type { RightCode } from '../codes/try_code.ts';
import type { Queryable } from '../../domain/db/transaction.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';

/*
 * Who asks for a new password is given a secret, and the address a code. A code belongs to the one who asked for it: guesses at it are made
 * with that secret, so a stranger who guesses uses up what he asked for himself. Where nobody asked here, as after a sign-in was disowned,
 * or the secret is lost, a code is good by itself; guesses without a secret are counted by address, and use up no code.
 */

/** Of the secret of whoever asks, as it may stand in a task. */
export function resetHash(reset_token: string): string {
  return createHash('sha256').update(reset_token).digest('hex');
}

/**
 * What a code is issued for: this asking, and this user. With the secret of another asking, or for another user, there is no code. Where
 * nobody asked, it is the user alone.
 */
export function resetSubject(reset_hash: string | null, user_id: string): string {
  if (reset_hash === null) return user_id;
  const bytes = createHash('sha256').update(`reset\0${reset_hash}\0${user_id}`).digest().subarray(0, 16);
  // A UUID whose bits are ours to choose (RFC 9562, version 8).
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x80;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}

/** Whose codes they are: those to this address that were issued for this user, whose key it is. */
export interface WhoseResets {
  email_index: Buffer;
  data_key_id: string;
}

/** Counts a try at the code of one asking; null where it is wrong, or there is none that lives. */
export function tryOwnCode(
  db: Queryable,
  ring: KeyRing,
  now: Date,
  { reset_token, user_id, code }: { reset_token: string; user_id: string; code: string },
): Promise<RightCode | null> {
  const subject_id = resetSubject(resetHash(reset_token), user_id);
  return tryCode(db, ring, now, { purpose: 'password_reset', subject_id, code });
}

/** Looks at the newest code that was mailed, and counts nothing: whoever calls has counted the guess. */
export async function matchNewestCode(
  db: Queryable,
  ring: KeyRing,
  now: Date,
  { email_index, data_key_id }: WhoseResets,
  code: string,
): Promise<RightCode | null> {
  const { rows } = await db.query<{ id: string; code_hmac: Buffer }>({
    name: 'newest_reset_code',
    text: `select id, code_hmac from verification_code
            where purpose = 'password_reset' and target_index = $1 and data_key_id = $2 and ended_at is null and expires_at > $3
            order by created_at desc, id limit 1`,
    values: [email_index, data_key_id, now],
  });
  const row = rows[0];
  if (row === undefined || !isSameHmac(row.code_hmac, codeHmac(ring, row.id, code))) return null;
  return { code_id: row.id };
}

/** Uses it, and ends those that others asked for. False where another used it meanwhile. */
export async function consumeResetCode(
  tx: Queryable,
  now: Date,
  right: RightCode,
  whose: WhoseResets,
): Promise<boolean> {
  if (!(await consumeCode(tx, now, right))) return false;
  await endResetCodes(tx, now, whose);
  return true;
}

export async function endResetCodes(
  tx: Queryable,
  now: Date,
  { email_index, data_key_id }: WhoseResets,
): Promise<void> {
  await tx.query(
    `update verification_code set ended_at = $3
      where purpose = 'password_reset' and target_index = $1 and data_key_id = $2 and ended_at is null`,
    [email_index, data_key_id, now],
  );
}
