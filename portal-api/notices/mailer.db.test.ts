import { afterAll, beforeAll, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { makeUser } from '../testing/people.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { MailNotTaken } from './mailer.ts';
import { queueNotice } from './queue_notice.ts';

let mail: MailCatcher;
let world: PortalWorld;

beforeAll(async () => {
  mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  world = await PortalWorld.begin({ SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}` });
});

afterAll(async () => {
  await world.end();
  await mail.end();
});

it('says why a server did not take a mail, and nothing of whom it was for, in the log or with the task', async () => {
  const email = 'ada.greylisted@example.org';
  const { user_id } = await makeUser(world, { email });
  mail.refuse(email, {
    at: 'recipient',
    smtp_code: 450,
    words: `4.2.1 <${email}>: Recipient address rejected: Greylisted`,
  });
  await queueNotice(world.pool, { to: { user_id }, template: 'payment_received', facts: { amount: '5.00 EUR' } });
  const failed = async (): Promise<string[]> => {
    const { rows } = await world.pool.query<{ last_error: string }>(
      `select last_error from graphile_worker.jobs where task_identifier = 'send_notice' and last_error is not null`,
    );
    return rows.map(({ last_error }) => last_error);
  };
  await expect.poll(failed, { timeout: 8_000 }).toHaveLength(1);
  const [last_error = ''] = await failed();
  expect(last_error).toContain('The mail server did not take it: EENVELOPE 450 4.2.1 at RCPT TO.');
  // Everything of the jobs, not only what the view shows.
  const { rows } = await world.pool.query<{ row: string }>(
    'select j::text as row from graphile_worker._private_jobs j',
  );
  const kept = `${rows.map(({ row }) => row).join('\n')}\n${JSON.stringify(world.logged)}`;
  expect(kept).toContain('did not take it');
  for (const word of [email, 'ada.greylisted', 'Greylisted']) expect(kept).not.toContain(word);
});

it('takes no word from an error that it does not know', () => {
  const odd = Object.assign(new Error('to ada@example.org'), { code: 'to ada@example.org', command: 'RCPT <ada@x>' });
  expect(new MailNotTaken(odd).message).toBe('The mail server did not take it: nobody knows why.');
  expect(new MailNotTaken(Object.assign(new Error('x'), { code: 'ESOCKET', command: 'CONN' })).message).toBe(
    'The mail server did not take it: ESOCKET at CONN.',
  );
});
