import { randomBytes, randomUUID } from 'node:crypto';
import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { queueCodeMail } from '../codes/code_mail.ts';
import { issueCode } from '../codes/issue_code.ts';
import type { RightCode } from '../codes/try_code.ts';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import type { Revocation } from '../identity/sessions.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { insertCredentialChange } from '../profile/profile_changes.ts';
import { queueRevocation } from '../session/revocations.ts';
import { challengeToken } from './challenges.ts';
import { countGuess, guessTarget } from './guesses.ts';
import type { PasswordHashing } from './password_hashing.ts';
import { asField, emailField } from './password_routes.ts';
import { passwordField, requireStrength } from './password_strength.ts';
import { consumeResetCode, matchNewestCode, resetHash, resetSubject, tryOwnCode } from './reset_codes.ts';
import { emailIndexOf, findByEmail, findById, readPerson } from './users.ts';
import type { SignInUser } from './users.ts';
import { undoDisowned } from './undo_disowned.ts';

/** For whoever has lost their password, or was asked for a new one. */
export function resetRoutes(context: PortalContext, hashing: PasswordHashing): Route[] {
  return [beginReset(context), endReset(context, hashing)];
}

/** Of a few that a person may ask for within an hour, those that one network address has: a stranger leaves its owner some. */
const RESETS_BY_ADDRESS_MAX = 3;

/** Who it is for is found out afterwards: the request is the same work whether there is somebody or not. */
function beginReset({ pool, ring }: PortalContext): Route {
  return route(
    {
      method: 'post',
      path: '/v1/password-reset',
      operation_id: 'begin_password_reset',
      summary: 'A code goes to the address, where it has an account.',
      tag: 'sign-in',
      policy: { anyone: true },
      pace: 'guess',
      body: z.object({ email: emailField, as: asField }),
      answers: {
        202: {
          description:
            'The same whether it has one or not. Send the secret with the code: so nobody else’s guesses keep you out.',
          json: z.object({ reset_token: challengeToken }),
        },
      },
    },
    async ({ body, address }) => {
      const email_index = emailIndexOf(ring, body.email).toString('hex');
      const reset_token = randomBytes(32).toString('base64url');
      await enqueue(pool, {
        task: 'mail_reset_code',
        payload: { kind: body.as, email_index, reset_hash: resetHash(reset_token), address },
        attempts_max: 5,
      });
      return { status: 202, body: { reset_token } };
    },
  );
}

/** To somebody whose account it is known to be. */
export function queueReset(tx: Queryable, user_id: string): Promise<void> {
  return enqueue(tx, { task: 'mail_reset_code', payload: { user_id }, attempts_max: 5 });
}

export function mailResetCode(context: PortalContext): Task {
  const payload = z.union([
    z.object({ user_id: z.uuid() }),
    z.object({
      kind: z.enum(['customer', 'admin']),
      email_index: z.string().regex(/^[0-9a-f]{64}$/u),
      // What a former version of ours enqueued has neither.
      reset_hash: z.string().optional(),
      address: z.string().optional(),
    }),
  ]);
  const { pool, ring, now, settings } = context;
  return task('mail_reset_code', payload, async (whose) => {
    const user =
      'user_id' in whose
        ? await findById(pool, whose.user_id)
        : await findByEmail(pool, whose.kind, Buffer.from(whose.email_index, 'hex'));
    if (user === null) return;
    const { reset_hash = null, address = null } = 'user_id' in whose ? {} : whose;
    const { email, key, data_key_id } = await readPerson(context, pool, user.user_id);
    await inTransaction(pool, async (tx) => {
      const wanted = {
        ...{ purpose: 'password_reset' as const, subject_id: resetSubject(reset_hash, user.user_id) },
        ...{ data_key: { id: data_key_id, key }, target: email, target_index: emailIndexOf(ring, email), address },
      };
      const issued = await issueCode(tx, ring, now(), wanted, {
        per_target_per_hour_max: settings.CODES_PER_TARGET_PER_HOUR_MAX,
        per_address_per_hour_max: settings.CODES_PER_ADDRESS_PER_HOUR_MAX,
        per_target_by_address_per_hour_max: RESETS_BY_ADDRESS_MAX,
      });
      // Whoever has had so many already is not bothered with more.
      if (issued.kind === 'issued') await queueCodeMail(tx, issued.code_id);
    });
  });
}

const endingShape = z.object({
  email: emailField,
  as: asField,
  code: z.string().regex(/^\d{6}$/u),
  password: passwordField,
  /** What was answered when it was asked for. Left out where nobody asked, or with a code that somebody else asked for. */
  reset_token: challengeToken.optional(),
});

function endReset(context: PortalContext, hashing: PasswordHashing): Route {
  const { pool, ring, sessions } = context;
  return route(
    {
      method: 'post',
      path: '/v1/password-reset/end',
      operation_id: 'end_password_reset',
      summary: 'The code that was mailed, and a new password. Everybody is signed out; sign in with it.',
      tag: 'sign-in',
      policy: { anyone: true },
      pace: 'guess',
      body: endingShape,
      answers: { 204: { description: 'The password is set.', empty: true } },
      problems: ['code_wrong', 'too_many', 'unavailable'],
    },
    async ({ body, now, address }) => {
      requireStrength(body.password, [body.email]);
      const email_index = emailIndexOf(ring, body.email);
      const user = await findByEmail(pool, body.as, email_index);
      const right = await rightCodeOf(context, now, user, email_index, body);
      if (user === null || right === null) throw wrongCode();
      const hashed = await hashing.hash(body.password);
      const revocations = await inTransaction(pool, async (tx) => {
        const whose = { email_index, data_key_id: user.data_key_id };
        if (!(await consumeResetCode(tx, now, right, whose))) throw wrongCode();
        return resetPassword(context, tx, now, user, hashed, address);
      });
      for (const revocation of revocations) await sessions.carryOut(revocation);
      return { status: 204 };
    },
  );
}

/** The same work, and the same refusals, whether there is somebody or not. */
async function rightCodeOf(
  { pool, ring, settings }: PortalContext,
  now: Date,
  user: SignInUser | null,
  email_index: Buffer,
  { as, code, reset_token }: z.output<typeof endingShape>,
): Promise<RightCode | null> {
  // Nobody has the id, or the key, that is made here.
  const { user_id, data_key_id } = user ?? { user_id: randomUUID(), data_key_id: randomUUID() };
  if (reset_token !== undefined) return tryOwnCode(pool, ring, now, { reset_token, user_id, code });
  const target = guessTarget('reset', `${as}:${email_index.toString('hex')}`);
  await countGuess(pool, now, target, settings.FAILED_SIGN_INS_MAX);
  return matchNewestCode(pool, ring, now, { email_index, data_key_id }, code);
}

function wrongCode(): Problem {
  return new Problem('code_wrong', 'Type the newest code that came, within ten minutes, or ask for another one.');
}

/**
 * Where a sign-in was disowned, what was added to sign in with since then goes: it may be the other one's. What was undone then is looked
 * for once more, as a request may have been under way when its session ended.
 */
async function resetPassword(
  context: PortalContext,
  tx: Transaction,
  now: Date,
  { user_id }: SignInUser,
  password_argon2: string,
  address: string,
): Promise<Revocation[]> {
  await tx.query('update portal_user set password_argon2 = $2 where id = $1', [user_id, password_argon2]);
  const { rows } = await tx.query<{ since: Date }>('delete from reset_due where user_id = $1 returning since', [
    user_id,
  ]);
  const since = rows[0]?.since;
  if (since !== undefined) {
    await tx.query('delete from passkey where user_id = $1 and created_at >= $2', [user_id, since]);
    await tx.query('delete from external_identity where user_id = $1 and linked_at >= $2', [user_id, since]);
    const removed = await tx.query(
      'delete from totp where user_id = $1 and (confirmed_at is null or confirmed_at >= $2) returning 1',
      [user_id, since],
    );
    if (removed.rows.length > 0) await tx.query('delete from recovery_code where user_id = $1', [user_id]);
  }
  await insertCredentialChange(tx, now, user_id, 'password', address);
  const facts = { changed: 'the password', how: 'set by a code that was mailed', at: now.toISOString(), address };
  await queueNotice(tx, { to: { user_id }, template: 'credential_changed', facts });
  const own = await queueRevocation(tx, { user_id, account_id: null, except: null });
  return since === undefined ? [own] : [own, ...(await undoDisowned(context, tx, now, { user_id, since }))];
}
