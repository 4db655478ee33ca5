import { createHash } from 'node:crypto';
import type { Queryable } from '../../domain/db/transaction.ts';
import { Problem } from '../http/problem.ts';

const WINDOW_MS = 15 * 60_000;

/** Whose secret is guessed at: the name of the secret and of whoever has it, or would have it. */
export function guessTarget(secret: 'sign_in' | 'second_factor' | 'proof' | 'reset', whose: string): Buffer {
  return createHash('sha256').update(`${secret}\0${whose}`).digest();
}

/**
 * Counts a guess before it is looked at, whether there is somebody or not, and throws `too_many` after so many within a quarter of an
 * hour. Ways in that cannot be guessed at, as a passkey, stay open to whoever is kept out by somebody else's guesses.
 */
export async function countGuess(db: Queryable, now: Date, target: Buffer, guesses_max: number): Promise<void> {
  const { rows } = await db.query<{ guesses: number; window_began_at: Date }>({
    name: 'count_guess',
    text: `insert into guess_count as g (target, window_began_at, guesses) values ($1, $2, 1)
           on conflict (target) do update
              set guesses = case when g.window_began_at <= $3 then 1 else least(g.guesses + 1, 1000000) end,
                  window_began_at = case when g.window_began_at <= $3 then $2 else g.window_began_at end
           returning guesses, window_began_at`,
    values: [target, now, new Date(now.getTime() - WINDOW_MS)],
  });
  const counted = rows[0];
  if (counted === undefined || counted.guesses <= guesses_max) return;
  const left_ms = counted.window_began_at.getTime() + WINDOW_MS - now.getTime();
  const retry_after_seconds = Math.max(1, Math.ceil(left_ms / 1000));
  throw new Problem('too_many', `Wait ${Math.ceil(retry_after_seconds / 60)} min, or come in another way.`, {
    retry_after_seconds,
  });
}

/** It was right: what was guessed before is nobody's attack. */
export async function forgiveGuesses(db: Queryable, target: Buffer): Promise<void> {
  await db.query('delete from guess_count where target = $1', [target]);
}

/** As much work as forgiving and writing down take, for where there is nothing to write. */
export async function touchGuesses(tx: Queryable, target: Buffer): Promise<void> {
  await tx.query('update guess_count set guesses = guesses where target = $1', [target]);
}
