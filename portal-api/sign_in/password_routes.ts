import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { signIn, signedInShape } from './begin_session.ts';
import { challengeToken, takeChallenge, tryChallenge } from './challenges.ts';
import { SIGN_IN_ANSWERS, afterFirstFactor, recordRefusal, shownBefore, signInFailed } from './first_factor.ts';
import { countGuess, forgiveGuesses, guessTarget, touchGuesses } from './guesses.ts';
import type { PasswordHashing } from './password_hashing.ts';
import { passwordField } from './password_strength.ts';
import { useRecoveryCode } from './recovery_codes.ts';
import { shownPassword } from './shown_credential.ts';
import { useTotp } from './totp.ts';
import { emailIndexOf, findByEmail, findById } from './users.ts';
import type { SignInUser } from './users.ts';

export const emailField = z.email().max(254);
/** An admin may be a customer too, with the same address. */
export const asField = z.enum(['customer', 'admin']).default('customer');

export function signInByPassword(context: PortalContext, hashing: PasswordHashing): Route {
  return route(
    {
      method: 'post',
      path: '/v1/sign-in/password',
      operation_id: 'sign_in_by_password',
      summary: 'Sign in with address and password.',
      tag: 'sign-in',
      policy: { anyone: true },
      pace: 'guess',
      body: z.object({ email: emailField, password: passwordField, as: asField }),
      answers: SIGN_IN_ANSWERS,
      problems: ['sign_in_failed', 'second_factor_required', 'too_many', 'unavailable', 'not_permitted'],
    },
    async ({ body, now, address, user_agent }) => {
      const { pool, ring, settings } = context;
      hashing.requireRoom();
      const visitor = { address, user_agent };
      const email_index = emailIndexOf(ring, body.email);
      const target = guessTarget('sign_in', `${body.as}:${email_index.toString('hex')}`);
      await countGuess(pool, now, target, settings.FAILED_SIGN_INS_MAX);
      const user = await findByEmail(pool, body.as, email_index);
      const kept = user?.password_argon2 ?? null;
      const is_right = await hashing.verify(kept, body.password);
      if (user === null || kept === null || !is_right || user.is_reset_due) {
        // Nobody has the id that is made here, so that it is looked for and nothing is written.
        await recordRefusal(context, now, user?.user_id ?? randomUUID(), 'password', visitor, (tx) =>
          touchGuesses(tx, target),
        );
        throw signInFailed();
      }
      await forgiveGuesses(pool, target);
      return afterFirstFactor(context, now, user, shownPassword(kept), visitor);
    },
  );
}

export function signInBySecondFactor(context: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/sign-in/second-factor',
      operation_id: 'sign_in_by_second_factor',
      summary: 'The second half of signing in.',
      tag: 'sign-in',
      policy: { anyone: true },
      pace: 'guess',
      body: z.object({
        ticket: challengeToken,
        factor: z.enum(['totp', 'recovery_code']),
        code: z.string().min(6).max(40),
      }),
      answers: { 200: { description: 'You are signed in.', json: signedInShape } },
      problems: ['sign_in_failed', 'too_many', 'not_permitted'],
    },
    async ({ body, now, address, user_agent }) => {
      const visitor = { address, user_agent };
      const { pool, settings } = context;
      const challenge = await tryChallenge(pool, now, 'second_factor', body.ticket);
      const user_id = challenge?.user_id ?? null;
      const user = user_id === null ? null : await findById(pool, user_id);
      const shown = shownBefore(challenge?.content);
      if (user === null || shown === null || user.is_reset_due)
        throw new Problem('sign_in_failed', 'It took too long. Begin anew.');
      const target = guessTarget('second_factor', user.user_id);
      await countGuess(pool, now, target, settings.FAILED_SIGN_INS_MAX);
      if (!(await isRight(context, now, user, body.factor, body.code))) {
        await recordRefusal(context, now, user.user_id, body.factor, visitor, (tx) => touchGuesses(tx, target));
        throw new Problem('sign_in_failed', 'The code is wrong, or was used before.');
      }
      if ((await takeChallenge(pool, now, 'second_factor', body.ticket)) === null) throw signInFailed();
      await forgiveGuesses(pool, target);
      return { status: 200, ...(await signIn(context, user.user_id, body.factor, shown, visitor)) };
    },
  );
}

async function isRight(
  { pool, keys, ring }: PortalContext,
  now: Date,
  { user_id, data_key_id, has_totp }: SignInUser,
  factor: 'totp' | 'recovery_code',
  code: string,
): Promise<boolean> {
  if (factor === 'recovery_code') return useRecoveryCode(pool, ring, now, user_id, code);
  return has_totp && useTotp(pool, now, { user_id, key: await keys.open(pool, data_key_id) }, code);
}
