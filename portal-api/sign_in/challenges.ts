import { createHash, randomBytes } from 'node:crypto';
import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';

/** What takes two requests: the first one's answer holds a secret that the second one brings. */
export type ChallengeKind =
  'passkey_registration' | 'passkey_sign_in' | 'passkey_proof' | 'second_factor' | 'google_sign_in' | 'google_link';

export const challengeToken = z.string().regex(/^[A-Za-z0-9_-]{43}$/u);

const LIFE_MS = 10 * 60_000;

const tokenHash = (token: string): Buffer => createHash('sha256').update(token).digest();

export interface Challenge {
  user_id: string | null;
  content: unknown;
}

export async function makeChallenge(
  db: Queryable,
  now: Date,
  kind: ChallengeKind,
  { user_id, content }: Challenge,
): Promise<string> {
  const token = randomBytes(32).toString('base64url');
  await db.query(
    'insert into identity_challenge (token_sha256, kind, user_id, content, expires_at) values ($1, $2, $3, $4, $5)',
    [tokenHash(token), kind, user_id, JSON.stringify(content), new Date(now.getTime() + LIFE_MS)],
  );
  return token;
}

/** Takes it for the one time that it can be used; null where it was used, is too old or never was. */
export async function takeChallenge(
  db: Queryable,
  now: Date,
  kind: ChallengeKind,
  token: string,
): Promise<Challenge | null> {
  const { rows } = await db.query<Challenge>(
    'delete from identity_challenge where token_sha256 = $1 and kind = $2 and expires_at > $3 returning user_id, content',
    [tokenHash(token), kind, now],
  );
  return rows[0] ?? null;
}

/** Counts a try at it and leaves it there, for five of them. */
export async function tryChallenge(
  db: Queryable,
  now: Date,
  kind: ChallengeKind,
  token: string,
): Promise<Challenge | null> {
  const { rows } = await db.query<Challenge>(
    `update identity_challenge set tries = tries + 1
      where token_sha256 = $1 and kind = $2 and expires_at > $3 and tries < 5 returning user_id, content`,
    [tokenHash(token), kind, now],
  );
  return rows[0] ?? null;
}
