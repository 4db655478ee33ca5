import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { signIn, signedInShape } from './begin_session.ts';
import type { SignedInReply } from './begin_session.ts';
import { makeChallenge } from './challenges.ts';
import { recordLogin } from './login_events.ts';
import type { LoginMethod, Visitor } from './login_events.ts';
import { shownCredentialShape } from './shown_credential.ts';
import type { ShownCredential } from './shown_credential.ts';
import type { SignInUser } from './users.ts';

/*
 *   password, Google ──> second factor, if it is on (an admin: always) ──> signed in
 *   passkey, which asks for a finger or a PIN by itself ─────────────────> signed in
 */

export const secondFactorShape = z.object({
  kind: z.literal('second_factor'),
  /** To be sent with the second factor, within ten minutes. */
  ticket: z.string(),
  factors: z.array(z.enum(['totp', 'recovery_code'])),
});

/** What a way in may answer. */
export const SIGN_IN_ANSWERS = {
  200: { description: 'You are signed in.', json: signedInShape },
  202: { description: 'Right so far; a second factor is asked for.', json: secondFactorShape },
} as const;

export type FirstFactorReply =
  ({ status: 200 } & SignedInReply) | { status: 202; body: z.infer<typeof secondFactorShape> };

/** What follows on a first factor that was right. */
export async function afterFirstFactor(
  context: PortalContext,
  now: Date,
  user: SignInUser,
  shown: ShownCredential,
  visitor: Visitor,
): Promise<FirstFactorReply> {
  if (user.is_reset_due) throw signInFailed();
  if (shown.kind === 'passkey' || (user.kind === 'customer' && !user.has_totp)) {
    return { status: 200, ...(await signIn(context, user.user_id, shown.kind, shown, visitor)) };
  }
  if (!user.has_totp) {
    throw new Problem('second_factor_required', 'You have none yet. Sign in with a passkey, or ask an owner for help.');
  }
  const ticket = await makeChallenge(context.pool, now, 'second_factor', {
    user_id: user.user_id,
    content: { shown },
  });
  return { status: 202, body: { kind: 'second_factor', ticket, factors: ['totp', 'recovery_code'] } };
}

/** What was shown before a second factor was asked for; null for a ticket of a former version of ours. */
export function shownBefore(content: unknown): ShownCredential | null {
  return ticketShape.safeParse(content).data?.shown ?? null;
}

const ticketShape = z.object({ shown: shownCredentialShape });

/** Says the same whatever was wrong, and whether or not there is somebody. */
export function signInFailed(): Problem {
  return new Problem('sign_in_failed', 'Look at what you typed and try again, or come in another way.');
}

/** Writes a refusal down for whose account it was; for nobody's it takes the same work. */
export function recordRefusal(
  { pool }: PortalContext,
  now: Date,
  user_id: string,
  method: LoginMethod,
  visitor: Visitor,
  equalise: (tx: Parameters<typeof recordLogin>[0]) => Promise<void>,
): Promise<void> {
  return inTransaction(pool, async (tx) => {
    await equalise(tx);
    await recordLogin(tx, now, { user_id, method, result: 'refused' }, visitor);
  });
}
