import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import type { Policy } from '../identity/policy.ts';
import { recordCredentialChange } from '../profile/profile_changes.ts';
import { challengeToken, makeChallenge, takeChallenge } from './challenges.ts';
import { findLinked, link, subjectIndex, unlink } from './external_identities.ts';
import { SIGN_IN_ANSWERS, afterFirstFactor, signInFailed } from './first_factor.ts';
import { Google, comeBackShape, journeyShape } from './google.ts';
import { findById } from './users.ts';
import { signedInOf } from '../identity/whose.ts';

const linking: Policy = { customer: EVERY_CUSTOMER, step_up: true };

/**
 * Signing in with Google, for customers who have linked it. An address that is the same there and here links nothing: whoever gets hold of
 * the one would have the other.
 */
export function googleRoutes(context: PortalContext): Route[] {
  const google = googleOf(context.settings);
  return [
    beginSignIn(context, google),
    endSignIn(context, google),
    beginLink(context, google),
    endLink(context, google),
    removeLink(context),
  ];
}

function googleOf(settings: PortalContext['settings']): Google | null {
  const { GOOGLE_CLIENT_ID: client_id, GOOGLE_CLIENT_SECRET: client_secret, GOOGLE_ISSUER: issuer } = settings;
  if (client_id === undefined) return null;
  const redirect_uri = `${new URL(settings.PUBLIC_ORIGIN).origin}/sign-in/google`;
  return new Google({ issuer, client_id, client_secret, redirect_uri });
}

function offered(google: Google | null): Google {
  if (google === null) throw new Problem('not_found', 'Sign-in with Google is not offered here.');
  return google;
}

const begun = z.object({
  /** Kept by the page that began, and sent with what Google answers: nobody else can end it. */
  challenge_token: z.string(),
  url: z.string(),
});
const ending = comeBackShape.extend({ challenge_token: challengeToken });

function beginSignIn({ pool }: PortalContext, google: Google | null): Route {
  return route(
    {
      method: 'post',
      path: '/v1/sign-in/google/begin',
      operation_id: 'begin_google_sign_in',
      summary: 'Where to send the browser to sign in with Google.',
      tag: 'sign-in',
      policy: { anyone: true },
      pace: 'guess',
      answers: { 200: { description: 'Good for ten minutes.', json: begun } },
      problems: ['not_found', 'unavailable'],
    },
    async ({ now }) => {
      const { url, journey } = await offered(google).begin();
      const challenge_token = await makeChallenge(pool, now, 'google_sign_in', { user_id: null, content: journey });
      return { status: 200, body: { challenge_token, url } };
    },
  );
}

function endSignIn(context: PortalContext, google: Google | null): Route {
  return route(
    {
      method: 'post',
      path: '/v1/sign-in/google/end',
      operation_id: 'end_google_sign_in',
      summary: 'What Google answered: signs you in where you have linked it.',
      tag: 'sign-in',
      policy: { anyone: true },
      pace: 'guess',
      body: ending,
      answers: SIGN_IN_ANSWERS,
      problems: ['sign_in_failed', 'second_factor_required', 'not_found', 'unavailable', 'not_permitted'],
    },
    async ({ body, now, address, user_agent }) => {
      const { pool, ring } = context;
      const provider = offered(google);
      const { challenge_token, ...back } = body;
      const challenge = await takeChallenge(pool, now, 'google_sign_in', challenge_token);
      if (challenge === null) throw signInFailed();
      const subject = await provider.end(journeyShape.parse(challenge.content), back);
      if (subject === null) throw signInFailed();
      const index = subjectIndex(ring, provider.issuer, subject);
      const user_id = await findLinked(pool, provider.issuer, index);
      const user = user_id === null ? null : await findById(pool, user_id);
      if (user?.kind !== 'customer') {
        throw new Problem('sign_in_failed', 'It is linked to no account here. Sign in otherwise and link it first.');
      }
      const shown = { kind: 'google', issuer: provider.issuer, subject_index: index.toString('hex') } as const;
      return afterFirstFactor(context, now, user, shown, { address, user_agent });
    },
  );
}

function beginLink({ pool }: PortalContext, google: Google | null): Route {
  return route(
    {
      method: 'post',
      path: '/v1/credentials/google/begin',
      operation_id: 'begin_google_link',
      summary: 'Where to send the browser to link Google.',
      tag: 'credentials',
      policy: linking,
      answers: { 200: { description: 'Good for ten minutes.', json: begun } },
      problems: ['not_found', 'unavailable'],
    },
    async ({ identity, now }) => {
      const { user_id } = signedInOf(identity);
      const { url, journey } = await offered(google).begin();
      const challenge_token = await makeChallenge(pool, now, 'google_link', { user_id, content: journey });
      return { status: 200, body: { challenge_token, url } };
    },
  );
}

function endLink({ pool, ring }: PortalContext, google: Google | null): Route {
  return route(
    {
      method: 'post',
      path: '/v1/credentials/google/end',
      operation_id: 'end_google_link',
      summary: 'What Google answered: you can sign in with it from now on.',
      tag: 'credentials',
      policy: linking,
      body: ending,
      answers: { 204: { description: 'It is linked. Nothing of what Google tells about you is kept.', empty: true } },
      problems: ['invalid', 'conflict', 'not_found', 'unavailable'],
    },
    async ({ identity, body, now, address }) => {
      const signed_in = signedInOf(identity);
      const provider = offered(google);
      const { challenge_token, ...back } = body;
      const challenge = await takeChallenge(pool, now, 'google_link', challenge_token);
      const is_theirs = challenge?.user_id === signed_in.user_id;
      const subject = is_theirs ? await provider.end(journeyShape.parse(challenge.content), back) : null;
      if (subject === null) throw new Problem('invalid', 'Google’s answer does not fit the question. Begin anew.');
      await inTransaction(pool, async (tx) => {
        const index = subjectIndex(ring, provider.issuer, subject);
        if (!(await link(tx, now, provider.issuer, index, signed_in.user_id))) {
          throw new Problem('conflict', 'You have linked one already, or it is linked to another account here.');
        }
        await recordCredentialChange(tx, now, signed_in, { field: 'google', what: 'added', address });
      });
      return { status: 204 };
    },
  );
}

function removeLink({ pool, settings }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/credentials/google',
      operation_id: 'remove_google_link',
      summary: 'Nobody signs in with Google any more.',
      tag: 'credentials',
      policy: linking,
      answers: { 204: { description: 'It is not linked any more.', empty: true } },
      problems: ['not_found'],
    },
    async ({ identity, now, address }) => {
      const signed_in = signedInOf(identity);
      await inTransaction(pool, async (tx) => {
        if (!(await unlink(tx, settings.GOOGLE_ISSUER, signed_in.user_id))) throw new Problem('not_found');
        await recordCredentialChange(tx, now, signed_in, { field: 'google', what: 'removed', address });
      });
      return { status: 204 };
    },
  );
}
