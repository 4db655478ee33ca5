import type { Queryable } from '../../domain/db/transaction.ts';
import type { KeyRing } from '../../domain/privacy/sealing.ts';
import { codeHmac, isSameHmac } from './code_secret.ts';
import type { CodePurpose } from './issue_code.ts';

/** A code that was right, and is not used yet. */
export interface RightCode {
  code_id: string;
}

/**
 * Counts a try and says whether it was right; null where it was not, or there is no code that lives. Outside a transaction, so that a try
 * stays counted whatever becomes of the rest. However many try at once, five of them are looked at.
 */
export async function tryCode(
  db: Queryable,
  ring: KeyRing,
  now: Date,
  { purpose, subject_id, code }: { purpose: CodePurpose; subject_id: string; code: string },
): Promise<RightCode | null> {
  const { rows } = await db.query<{ id: string; code_hmac: Buffer }>({
    name: 'try_code',
    text: `update verification_code set tries = tries + 1
            where purpose = $1 and subject_id = $2 and ended_at is null and expires_at > $3 and tries < 5
           returning id, code_hmac`,
    values: [purpose, subject_id, now],
  });
  const row = rows[0];
  if (row === undefined || !isSameHmac(row.code_hmac, codeHmac(ring, row.id, code))) return null;
  return { code_id: row.id };
}

/** In the transaction that it is used for. False where another used it meanwhile. */
export async function consumeCode(tx: Queryable, now: Date, { code_id }: RightCode): Promise<boolean> {
  const { rows } = await tx.query(
    'update verification_code set ended_at = $2, used_at = $2 where id = $1 and ended_at is null returning 1',
    [code_id, now],
  );
  return rows.length > 0;
}
