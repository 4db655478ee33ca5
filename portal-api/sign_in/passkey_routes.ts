import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { line, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { recordCredentialChange } from '../profile/profile_changes.ts';
import { challengeToken, makeChallenge, takeChallenge } from './challenges.ts';
import { SIGN_IN_ANSWERS, afterFirstFactor, signInFailed } from './first_factor.ts';
import {
  assertionOptions,
  assertionShape,
  attestationShape,
  challengeOf,
  insertPasskey,
  optionsShape,
  registrationOptions,
  relyingPartyOf,
  removePasskey,
  verifyAssertion,
  verifyAttestation,
} from './passkeys.ts';
import { findById, readPerson } from './users.ts';
import { PROVEN } from './who_is_signed_in.ts';
import { signedInOf } from '../identity/whose.ts';

export const asked = z.object({ challenge_token: z.string(), options: optionsShape });

/** Signing in with a passkey, and having several. */
export function passkeyRoutes(context: PortalContext): Route[] {
  return [askSignIn(context), signInByPasskey(context), askNew(context), addPasskey(context), forgetPasskey(context)];
}

function askSignIn({ pool, settings }: PortalContext): Route {
  const site = relyingPartyOf(settings);
  return route(
    {
      method: 'post',
      path: '/v1/sign-in/passkey/options',
      operation_id: 'ask_passkey_sign_in',
      summary: 'What a browser is asked for a passkey with.',
      tag: 'sign-in',
      policy: { anyone: true },
      pace: 'guess',
      answers: { 200: { description: 'For navigator.credentials.get.', json: asked } },
    },
    async ({ now }) => {
      const options = await assertionOptions(pool, site, null);
      const content = { challenge: options.challenge };
      const challenge_token = await makeChallenge(pool, now, 'passkey_sign_in', { user_id: null, content });
      return { status: 200, body: { challenge_token, options } };
    },
  );
}

function signInByPasskey(context: PortalContext): Route {
  const site = relyingPartyOf(context.settings);
  return route(
    {
      method: 'post',
      path: '/v1/sign-in/passkey',
      operation_id: 'sign_in_by_passkey',
      summary: 'Sign in with a passkey.',
      tag: 'sign-in',
      policy: { anyone: true },
      pace: 'guess',
      body: z.object({ challenge_token: challengeToken, response: assertionShape }),
      answers: SIGN_IN_ANSWERS,
      problems: ['sign_in_failed', 'not_permitted', 'second_factor_required'],
    },
    async ({ body, now, address, user_agent }) => {
      const { pool } = context;
      const challenge = await takeChallenge(pool, now, 'passkey_sign_in', body.challenge_token);
      if (challenge === null) throw signInFailed();
      const signed = await verifyAssertion(pool, now, site, challengeOf(challenge.content), body.response);
      const user = signed === null ? null : await findById(pool, signed.user_id);
      if (user === null) throw signInFailed();
      const shown = { kind: 'passkey', credential_id: body.response.id } as const;
      return afterFirstFactor(context, now, user, shown, { address, user_agent });
    },
  );
}

function askNew(context: PortalContext): Route {
  const { pool, settings } = context;
  const site = relyingPartyOf(settings);
  return route(
    {
      method: 'post',
      path: '/v1/credentials/passkeys/options',
      operation_id: 'ask_new_passkey',
      summary: 'What a browser is asked to make a passkey with.',
      tag: 'credentials',
      policy: PROVEN,
      answers: { 200: { description: 'For navigator.credentials.create.', json: asked } },
    },
    async ({ identity, now }) => {
      const { user_id } = signedInOf(identity);
      const { name, email } = await readPerson(context, pool, user_id);
      const options = await registrationOptions(pool, site, { user_id, email, name: name ?? email });
      const content = { challenge: options.challenge };
      const challenge_token = await makeChallenge(pool, now, 'passkey_registration', { user_id, content });
      return { status: 200, body: { challenge_token, options } };
    },
  );
}

function addPasskey({ pool, settings }: PortalContext): Route {
  const site = relyingPartyOf(settings);
  return route(
    {
      method: 'post',
      path: '/v1/credentials/passkeys',
      operation_id: 'add_passkey',
      summary: 'Sign in with this passkey from now on.',
      tag: 'credentials',
      policy: PROVEN,
      body: z.object({ challenge_token: challengeToken, name: line(60), response: attestationShape }),
      answers: { 201: { description: 'It was added.', json: z.object({ passkey_id: uuid }) } },
      problems: ['invalid', 'conflict'],
    },
    async ({ body, identity, now, address }) => {
      const signed_in = signedInOf(identity);
      const challenge = await takeChallenge(pool, now, 'passkey_registration', body.challenge_token);
      if (challenge?.user_id !== signed_in.user_id) throw new Problem('invalid', 'It took too long. Begin anew.');
      const made = await verifyAttestation(site, challengeOf(challenge.content), body.response);
      if (made === null)
        throw new Problem('invalid', 'The browser’s answer does not fit what it was asked. Begin anew.');
      const passkey_id = await inTransaction(pool, async (tx) => {
        const id = await insertPasskey(tx, now, signed_in.user_id, body.name, made);
        if (id !== null) {
          await recordCredentialChange(tx, now, signed_in, { field: 'passkey', what: 'added', address });
        }
        return id;
      });
      if (passkey_id === null) throw new Problem('conflict', 'That passkey is there already.');
      return { status: 201, body: { passkey_id } };
    },
  );
}

function forgetPasskey({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/credentials/passkeys/{passkey_id}',
      operation_id: 'remove_passkey',
      summary: 'Nobody signs in with it any more.',
      tag: 'credentials',
      policy: PROVEN,
      params: z.object({ passkey_id: uuid }),
      answers: { 204: { description: 'It is gone.', empty: true } },
      problems: ['not_found'],
    },
    async ({ params, identity, now, address }) => {
      const signed_in = signedInOf(identity);
      await inTransaction(pool, async (tx) => {
        if (!(await removePasskey(tx, signed_in.user_id, params.passkey_id))) throw new Problem('not_found');
        await recordCredentialChange(tx, now, signed_in, { field: 'passkey', what: 'removed', address });
      });
      return { status: 204 };
    },
  );
}
