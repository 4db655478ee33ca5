import { z } from 'zod';
import type { PortalContext } from '../context.ts';
import { uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { selectMemberships, signedInShape, startSession } from './begin_session.ts';
import { challengeToken, makeChallenge, takeChallenge } from './challenges.ts';
import { countGuess, forgiveGuesses, guessTarget } from './guesses.ts';
import { asked } from './passkey_routes.ts';
import { assertionOptions, assertionShape, challengeOf, relyingPartyOf, verifyAssertion } from './passkeys.ts';
import type { PasswordHashing } from './password_hashing.ts';
import { passwordField } from './password_strength.ts';
import { findById } from './users.ts';
import { SIGNED_IN } from './who_is_signed_in.ts';
import { signedInOf } from '../identity/whose.ts';

/** What a session is asked for again before something sensitive, and for which account it acts. */
export function proofRoutes(context: PortalContext, hashing: PasswordHashing): Route[] {
  return [askProof(context), prove(context, hashing), changeAccount(context)];
}

function askProof({ pool, settings }: PortalContext): Route {
  const site = relyingPartyOf(settings);
  return route(
    {
      method: 'post',
      path: '/v1/session/proof/options',
      operation_id: 'ask_passkey_proof',
      summary: 'What a browser is asked for one of your passkeys with.',
      tag: 'sessions',
      policy: SIGNED_IN,
      answers: { 200: { description: 'For navigator.credentials.get.', json: asked } },
    },
    async ({ identity, now }) => {
      const { user_id } = signedInOf(identity);
      const options = await assertionOptions(pool, site, user_id);
      const content = { challenge: options.challenge };
      const challenge_token = await makeChallenge(pool, now, 'passkey_proof', { user_id, content });
      return { status: 200, body: { challenge_token, options } };
    },
  );
}

const proofShape = z.union([
  z.object({ password: passwordField }),
  z.object({ challenge_token: challengeToken, response: assertionShape }),
]);

function prove(context: PortalContext, hashing: PasswordHashing): Route {
  const { pool, sessions, settings } = context;
  return route(
    {
      method: 'post',
      path: '/v1/session/proof',
      operation_id: 'prove_session',
      summary: 'Prove again that it is you, by password or passkey, as sensitive changes ask for it.',
      tag: 'sessions',
      policy: SIGNED_IN,
      pace: 'guess',
      body: proofShape,
      answers: { 204: { description: 'Proven for some minutes.', empty: true } },
      problems: ['sign_in_failed', 'too_many', 'unavailable'],
    },
    async ({ identity, body, now }) => {
      const { user_id, session_id } = signedInOf(identity);
      const target = guessTarget('proof', user_id);
      await countGuess(pool, now, target, settings.FAILED_SIGN_INS_MAX);
      const is_theirs =
        'password' in body
          ? await isPasswordOf(context, hashing, user_id, body.password)
          : await isPasskeyOf(context, now, user_id, body);
      if (!is_theirs) throw new Problem('sign_in_failed', 'That did not prove that it is you. Try again.');
      await forgiveGuesses(pool, target);
      await sessions.prove(session_id);
      return { status: 204 };
    },
  );
}

async function isPasswordOf(
  { pool }: PortalContext,
  hashing: PasswordHashing,
  user_id: string,
  password: string,
): Promise<boolean> {
  const user = await findById(pool, user_id);
  return hashing.verify(user?.password_argon2 ?? null, password);
}

async function isPasskeyOf(
  { pool, settings }: PortalContext,
  now: Date,
  user_id: string,
  { challenge_token, response }: Extract<z.infer<typeof proofShape>, { challenge_token: string }>,
): Promise<boolean> {
  const challenge = await takeChallenge(pool, now, 'passkey_proof', challenge_token);
  if (challenge?.user_id !== user_id) return false;
  const site = relyingPartyOf(settings);
  const signed = await verifyAssertion(pool, now, site, challengeOf(challenge.content), response);
  return signed?.user_id === user_id;
}

function changeAccount(context: PortalContext): Route {
  return route(
    {
      method: 'put',
      path: '/v1/session/account',
      operation_id: 'change_account',
      summary: 'Act for another account that you may use.',
      tag: 'sessions',
      policy: { customer: EVERY_CUSTOMER },
      body: z.object({ account_id: uuid }),
      answers: { 200: { description: 'A new session, instead of this one.', json: signedInShape } },
      problems: ['not_found'],
    },
    async ({ identity, body, address, user_agent }) => {
      const { user_id, session_id } = signedInOf(identity);
      const mark = await context.sessions.markOf(user_id);
      const all = await selectMemberships(context.pool, user_id);
      const other = all.find(({ account_id }) => account_id === body.account_id);
      if (other === undefined) throw new Problem('not_found');
      const who = { kind: 'customer', user_id, ...other } as const;
      // Only while this session is there: one that was ended meanwhile does not go on in another.
      const reply = await startSession(context, who, { address, user_agent }, mark, session_id);
      if (reply === null) throw new Problem('sign_in_required');
      return { status: 200, ...reply };
    },
  );
}
