import { randomUUID } from 'node:crypto';
import { z } from 'zod';
import { inTransaction } from '../../domain/db/transaction.ts';
import type { Queryable, Transaction } from '../../domain/db/transaction.ts';
import { queueCodeMail } from '../codes/code_mail.ts';
import { issueCode } from '../codes/issue_code.ts';
import { consumeCode, tryCode } from '../codes/try_code.ts';
import type { PortalContext } from '../context.ts';
import { Problem } from '../http/problem.ts';
import { route } from '../http/route.ts';
import type { Route } from '../http/route.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { queueNotice } from '../notices/queue_notice.ts';
import { insertCredentialChange } from '../profile/profile_changes.ts';
import { countGuess, guessTarget } from './guesses.ts';
import type { PasswordHashing } from './password_hashing.ts';
import { asField, emailField } from './password_routes.ts';
import { passwordField, requireStrength } from './password_strength.ts';
import { emailIndexOf, findByEmail, findById, readPerson } from './users.ts';
import type { SignInUser } from './users.ts';

/** For whoever has lost their password, or was asked for a new one. */
export function resetRoutes(context: PortalContext, hashing: PasswordHashing): Route[] {
  return [beginReset(context), endReset(context, hashing)];
}

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
      answers: { 202: { description: 'The same whether it has one or not.', empty: true } },
    },
    async ({ body }) => {
      const email_index = emailIndexOf(ring, body.email).toString('hex');
      await enqueue(pool, {
        task: 'mail_reset_code',
        payload: { kind: body.as, email_index },
        key: `reset:${body.as}:${email_index}`,
        attempts_max: 5,
      });
      return { status: 202 };
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
    z.object({ kind: z.enum(['customer', 'admin']), email_index: z.string().regex(/^[0-9a-f]{64}$/u) }),
  ]);
  const { pool, ring, now, settings } = context;
  return task('mail_reset_code', payload, async (whose) => {
    const user =
      'user_id' in whose
        ? await findById(pool, whose.user_id)
        : await findByEmail(pool, whose.kind, Buffer.from(whose.email_index, 'hex'));
    if (user === null) return;
    const { email, key, data_key_id } = await readPerson(context, pool, user.user_id);
    await inTransaction(pool, async (tx) => {
      const wanted = {
        ...{ purpose: 'password_reset' as const, subject_id: user.user_id, data_key: { id: data_key_id, key } },
        ...{ target: email, target_index: emailIndexOf(ring, email), address: null },
      };
      const issued = await issueCode(tx, ring, now(), wanted, {
        per_target_per_hour_max: settings.CODES_PER_TARGET_PER_HOUR_MAX,
        per_address_per_hour_max: settings.CODES_PER_ADDRESS_PER_HOUR_MAX,
      });
      // Whoever has had so many already is not bothered with more.
      if (issued.kind === 'issued') await queueCodeMail(tx, issued.code_id);
    });
  });
}

function endReset(context: PortalContext, hashing: PasswordHashing): Route {
  const { pool, ring, sessions, settings } = context;
  return route(
    {
      method: 'post',
      path: '/v1/password-reset/end',
      operation_id: 'end_password_reset',
      summary: 'The code that was mailed, and a new password. Everybody is signed out; sign in with it.',
      tag: 'sign-in',
      policy: { anyone: true },
      pace: 'guess',
      body: z.object({ email: emailField, as: asField, code: z.string().regex(/^\d{6}$/u), password: passwordField }),
      answers: { 204: { description: 'The password is set.', empty: true } },
      problems: ['code_wrong', 'too_many', 'unavailable'],
    },
    async ({ body, now, address }) => {
      requireStrength(body.password, [body.email]);
      const email_index = emailIndexOf(ring, body.email);
      const target = guessTarget('reset', `${body.as}:${email_index.toString('hex')}`);
      await countGuess(pool, now, target, settings.FAILED_SIGN_INS_MAX);
      const user = await findByEmail(pool, body.as, email_index);
      const subject_id = user?.user_id ?? randomUUID();
      const right = await tryCode(pool, ring, now, { purpose: 'password_reset', subject_id, code: body.code });
      if (user === null || right === null) throw wrongCode();
      const hashed = await hashing.hash(body.password);
      await inTransaction(pool, async (tx) => {
        if (!(await consumeCode(tx, now, right))) throw wrongCode();
        await resetPassword(tx, now, user, hashed, address);
      });
      await sessions.revokeAll(user.user_id, null);
      return { status: 204 };
    },
  );
}

function wrongCode(): Problem {
  return new Problem('code_wrong', 'Type the newest code that came, within ten minutes, or ask for another one.');
}

/** Where a sign-in was disowned, what was added to sign in with since then goes: it may be the other one's. */
async function resetPassword(
  tx: Transaction,
  now: Date,
  { user_id }: SignInUser,
  password_argon2: string,
  address: string,
): Promise<void> {
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
}
