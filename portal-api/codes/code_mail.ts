import { z } from 'zod';
import type { Queryable } from '../../domain/db/transaction.ts';
import { unseal } from '../../domain/privacy/sealing.ts';
import type { PortalContext } from '../context.ts';
import { enqueue, task } from '../jobs/task.ts';
import type { Task } from '../jobs/task.ts';
import { postingBy } from '../notices/post_notice.ts';
import { codeHmac, newCode } from './code_secret.ts';

interface WaitingCode {
  purpose: 'registration_email' | 'email_change' | 'password_reset';
  data_key_id: string;
  target_sealed: Buffer;
  /** Whether somebody has that address who is not the one that gave it. */
  is_taken: boolean;
  /** Of whoever has that address, else of whoever gave it. */
  locale: string;
}

/** In the transaction that issued the code. Nothing secret is in the task: the code that is mailed is made when the mail is. */
export function queueCodeMail(tx: Queryable, code_id: string): Promise<void> {
  return enqueue(tx, { task: 'send_code_mail', payload: { code_id }, attempts_max: 6 });
}

/**
 * Mails a code; or, where the address has an account already, tells its owner that. Whoever asked sees no difference: both are the same
 * request to us, and the same answer.
 */
export function sendCodeMail({ pool, ring, keys, now, settings }: PortalContext): Task {
  const post = postingBy({ pool, ring, now, settings });
  return task('send_code_mail', z.object({ code_id: z.uuid() }), async ({ code_id }) => {
    const waiting = await selectWaiting(pool, now(), code_id);
    if (waiting === undefined) return;
    const key = await keys.open(pool, waiting.data_key_id);
    const to = unseal(key, `verification_code.target:${code_id}`, waiting.target_sealed).toString();
    const reader = { locale: waiting.locale, time_zone: 'UTC' };
    if (waiting.is_taken) {
      await post(to, 'already_registered', {}, { reader });
      return;
    }
    const code = newCode();
    const set = await pool.query(
      'update verification_code set code_hmac = $2 where id = $1 and ended_at is null and expires_at > $3 returning 1',
      [code_id, codeHmac(ring, code_id, code), now()],
    );
    if (set.rows.length === 0) return;
    const template = waiting.purpose === 'password_reset' ? 'password_reset' : 'confirm_code';
    await post(to, template, { code }, { reader, is_asked_for: true });
  });
}

async function selectWaiting(db: Queryable, now: Date, code_id: string): Promise<WaitingCode | undefined> {
  const { rows } = await db.query<WaitingCode>(
    `select c.purpose, c.data_key_id, c.target_sealed, c.purpose <> 'password_reset' and taken.locale is not null as is_taken,
            coalesce(taken.locale, (select s.locale from portal_user s where s.id = c.subject_id), of_reset.locale,
                     (select f.locale from registration_flow f where f.id = c.subject_id), 'en') as locale
       from verification_code c
       left join lateral (
         select u.locale from portal_user u
          where u.email_index = c.target_index and u.state <> 'closed' and u.id <> c.subject_id
            and u.kind = coalesce((select s.kind from portal_user s where s.id = c.subject_id), 'customer') limit 1) taken on true
       left join lateral (
         -- The subject of a reset is whoever asked for it; whose password it is about, is told by the key.
         select u.locale from portal_user u
          where c.purpose = 'password_reset' and u.kind in ('customer', 'admin') and u.email_index = c.target_index
            and u.state <> 'closed' and u.data_key_id = c.data_key_id limit 1) of_reset on true
      where c.id = $1 and c.purpose in ('registration_email', 'email_change', 'password_reset') and c.ended_at is null and c.expires_at > $2`,
    [code_id, now],
  );
  return rows[0];
}
