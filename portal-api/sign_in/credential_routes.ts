import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Transaction } from '../../domain/db/transaction.ts';
import type { PortalContext } from '../context.ts';
import { instantOut, uuid } from '../http/fields.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { EVERY_CUSTOMER } from '../identity/policy.ts';
import { recordCredentialChange } from '../profile/profile_changes.ts';
import { queueRevocation } from '../session/revocations.ts';
import { countGuess, guessTarget } from './guesses.ts';
import { isGoogleLinked } from './external_identities.ts';
import { listPasskeys } from './passkeys.ts';
import type { PasswordHashing } from './password_hashing.ts';
import { passwordField, requireStrength } from './password_strength.ts';
import { countRecoveryCodes, renewRecoveryCodes } from './recovery_codes.ts';
import { beginTotp, confirmTotp, removeTotp, useTotp } from './totp.ts';
import { findById, readPerson } from './users.ts';
import { PROVEN, SIGNED_IN } from './who_is_signed_in.ts';
import { signedInOf } from '../identity/whose.ts';

/** What somebody signs in with. What is shown once is never under an idempotency key, as answers to those are remembered. */
export function credentialRoutes(context: PortalContext, hashing: PasswordHashing): Route[] {
  return [
    listCredentials(context),
    setPassword(context, hashing),
    beginCodes(context),
    confirmCodes(context),
    endCodes(context),
    renewCodes(context),
  ];
}

const credentialsShape = z.object({
  has_password: z.boolean(),
  has_totp: z.boolean(),
  recovery_codes_left: z.int(),
  google_is_linked: z.boolean(),
  passkeys: z.array(
    z.object({
      passkey_id: uuid,
      name: z.string(),
      backed_up: z.boolean(),
      created_at: instantOut,
      used_at: instantOut.nullable(),
    }),
  ),
});

function listCredentials({ pool, settings }: PortalContext): Route {
  return route(
    {
      method: 'get',
      path: '/v1/credentials',
      operation_id: 'list_credentials',
      summary: 'What you sign in with.',
      tag: 'credentials',
      policy: SIGNED_IN,
      answers: { 200: { description: 'Nothing of it can be used to sign in.', json: credentialsShape } },
    },
    async ({ identity }) => {
      const { user_id } = signedInOf(identity);
      const user = await findById(pool, user_id);
      if (user === null) throw new Problem('sign_in_required');
      return {
        status: 200,
        body: {
          has_password: user.password_argon2 !== null,
          has_totp: user.has_totp,
          recovery_codes_left: await countRecoveryCodes(pool, user_id),
          google_is_linked: await isGoogleLinked(pool, settings.GOOGLE_ISSUER, user_id),
          passkeys: await listPasskeys(pool, user_id),
        },
      };
    },
  );
}

function setPassword(context: PortalContext, hashing: PasswordHashing): Route {
  const { pool, sessions } = context;
  return route(
    {
      method: 'put',
      path: '/v1/credentials/password',
      operation_id: 'set_password',
      summary: 'A password, the first or a new one. Whoever is signed in elsewhere is signed out.',
      tag: 'credentials',
      policy: PROVEN,
      pace: 'guess',
      body: z.object({ password: passwordField }),
      answers: { 204: { description: 'It was set.', empty: true } },
      problems: ['invalid', 'unavailable'],
    },
    async ({ identity, body, now, address }) => {
      const signed_in = signedInOf(identity);
      const before = await findById(pool, signed_in.user_id);
      const { email, name } = await readPerson(context, pool, signed_in.user_id);
      requireStrength(body.password, [email, ...(name === null ? [] : [name])]);
      const hashed = await hashing.hash(body.password);
      const revocation = await inTransaction(pool, async (tx) => {
        const is_set = await replacePassword(tx, signed_in.user_id, before?.password_argon2 ?? null, hashed);
        // Whoever was signed out while the hash was made sets nothing any more, least of all over what was set anew by mail.
        if (!is_set || (await sessions.over([signed_in.session_id])).size > 0) throw new Problem('sign_in_required');
        const { user_id, session_id } = signed_in;
        const queued = await queueRevocation(tx, { user_id, account_id: null, except: session_id });
        await recordCredentialChange(tx, now, signed_in, { field: 'password', what: 'set', address });
        return queued;
      });
      await sessions.carryOut(revocation);
      return { status: 204 };
    },
  );
}

/** False where another one was set meanwhile, or one is to be set by mail. */
async function replacePassword(
  tx: Transaction,
  user_id: string,
  before: string | null,
  password_argon2: string,
): Promise<boolean> {
  const { rows } = await tx.query(
    `update portal_user set password_argon2 = $2
      where id = $1 and password_argon2 is not distinct from $3
        and not exists (select from reset_due r where r.user_id = portal_user.id) returning 1`,
    [user_id, password_argon2, before],
  );
  return rows.length > 0;
}

const secretShape = z.object({
  secret_base32: z.string(),
  /** To be shown as a QR code. */
  uri: z.string(),
});

function beginCodes(context: PortalContext): Route {
  const { pool, settings } = context;
  return route(
    {
      method: 'post',
      path: '/v1/credentials/totp',
      operation_id: 'begin_totp',
      summary: 'A secret for an app that makes codes; it counts once a code of it was right.',
      tag: 'credentials',
      policy: PROVEN,
      answers: { 201: { description: 'Shown this once.', json: secretShape } },
      problems: ['conflict'],
    },
    async ({ identity }) => {
      const { user_id } = signedInOf(identity);
      const user = await findById(pool, user_id);
      if (user?.has_totp === true) throw new Problem('conflict', 'There is one already. Remove it first.');
      const { email, key } = await readPerson(context, pool, user_id);
      const made = await inTransaction(pool, (tx) => beginTotp(tx, { user_id, key }, email, settings.BRAND));
      return { status: 201, body: made };
    },
  );
}

const codesShape = z.object({ recovery_codes: z.array(z.string()) });

function confirmCodes(context: PortalContext): Route {
  const { pool, ring, settings } = context;
  return route(
    {
      method: 'post',
      path: '/v1/credentials/totp/confirmation',
      operation_id: 'confirm_totp',
      summary: 'A first code of the app: from now on one is asked for.',
      tag: 'credentials',
      policy: PROVEN,
      pace: 'guess',
      body: z.object({ code: z.string().regex(/^\d{6}$/u) }),
      answers: { 201: { description: 'Ten codes for when the app is lost, shown this once.', json: codesShape } },
      problems: ['code_wrong', 'conflict', 'too_many'],
    },
    async ({ identity, body, now, address }) => {
      const signed_in = signedInOf(identity);
      const { user_id } = signed_in;
      await countGuess(pool, now, guessTarget('second_factor', user_id), settings.FAILED_SIGN_INS_MAX);
      const user = await findById(pool, user_id);
      if (user?.has_totp === true) throw new Problem('conflict', 'It was confirmed before.');
      const { key } = await readPerson(context, pool, user_id);
      const recovery_codes = await inTransaction(pool, async (tx) => {
        if (!(await useTotp(tx, now, { user_id, key }, body.code))) {
          throw new Problem('code_wrong', 'Type the code that the app shows now; see that your clock is right.');
        }
        await confirmTotp(tx, now, user_id);
        const codes = await renewRecoveryCodes(tx, ring, user_id);
        await recordCredentialChange(tx, now, signed_in, { field: 'totp', what: 'added', address });
        return codes;
      });
      return { status: 201, body: { recovery_codes } };
    },
  );
}

function endCodes({ pool }: PortalContext): Route {
  return route(
    {
      method: 'delete',
      path: '/v1/credentials/totp',
      operation_id: 'remove_totp',
      summary: 'No code is asked for any more. Not for admins, who always need one.',
      tag: 'credentials',
      policy: { customer: EVERY_CUSTOMER, step_up: true },
      answers: { 204: { description: 'It is gone, and the recovery codes with it.', empty: true } },
    },
    async ({ identity, now, address }) => {
      const signed_in = signedInOf(identity);
      await inTransaction(pool, async (tx) => {
        await removeTotp(tx, signed_in.user_id);
        await recordCredentialChange(tx, now, signed_in, { field: 'totp', what: 'removed', address });
      });
      return { status: 204 };
    },
  );
}

function renewCodes({ pool, ring }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/credentials/recovery-codes',
      operation_id: 'renew_recovery_codes',
      summary: 'Ten new codes; those before are worth nothing any more.',
      tag: 'credentials',
      policy: PROVEN,
      answers: { 201: { description: 'Shown this once.', json: codesShape } },
      problems: ['conflict'],
    },
    async ({ identity, now, address }) => {
      const signed_in = signedInOf(identity);
      const user = await findById(pool, signed_in.user_id);
      if (user?.has_totp !== true) throw new Problem('conflict', 'They stand in for an app that makes codes; add one.');
      const recovery_codes = await inTransaction(pool, async (tx) => {
        const codes = await renewRecoveryCodes(tx, ring, signed_in.user_id);
        await recordCredentialChange(tx, now, signed_in, { field: 'recovery_codes', what: 'set', address });
        return codes;
      });
      return { status: 201, body: { recovery_codes } };
    },
  );
}
