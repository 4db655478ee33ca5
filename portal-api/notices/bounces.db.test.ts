import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { makeAdmin, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { codeInMail, emailIndex } from '../testing/registering.ts';
import { holdBack, recordBounce } from './bounce_rows.ts';
import type { NoticeTemplate } from './notice_words.ts';
import { queueNotice } from './queue_notice.ts';

const SECRET = 'the secret of the mail server';

let mail: MailCatcher;
let world: PortalWorld;
let support: PortalClient;
let ada: TestUser;
let email: string;
let users = 0;

beforeAll(async () => {
  mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  const smtp = { SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}`, MAIL_REPORT_SECRET: SECRET };
  world = await PortalWorld.begin(smtp);
  support = await (await makeAdmin(world, ['support'])).signIn();
});

afterAll(async () => {
  await world.end();
  await mail.end();
});

beforeEach(async () => {
  users += 1;
  email = `ada-${users}@example.org`;
  ada = await makeUser(world, { email });
});

const refused = (words: string, smtp_code = 550, at: 'recipient' | 'content' = 'recipient'): void =>
  mail.refuse(email, { at, smtp_code, words });

const notify = (template: NoticeTemplate = 'payment_received'): Promise<void> =>
  queueNotice(world.pool, {
    ...{ to: { user_id: ada.user_id }, template },
    facts: { amount: '5.00 EUR' },
  });

interface Bounce {
  class: string;
  smtp_code: number | null;
  status: string | null;
  source: string;
}

const bounces = async (): Promise<Bounce[]> => {
  const { rows } = await world.pool.query<Bounce>(
    'select class, smtp_code, status, source from mail_bounce where address_index = $1 order by at',
    [emailIndex(world, email)],
  );
  return rows;
};

interface Listed {
  undeliverable_id: string;
  user_id: string | null;
  email_masked: string | null;
  held_back: number;
  bounces: number;
  class: string;
}

const listed = async (): Promise<Listed | undefined> => {
  const { body } = await support.get<{ items: Listed[] }>('/v1/admin/undeliverable-addresses?purpose=a+test');
  return body.items.find(({ user_id }) => user_id === ada.user_id);
};

const looks = async (): Promise<number> => {
  const { rowCount } = await world.pool.query(
    `select from audit_log where action = 'undeliverable_addresses.view' and purpose = 'a test'`,
  );
  return rowCount ?? 0;
};

const jobsLeft = () =>
  world.pool
    .query<{ attempts: number }>(`select attempts from graphile_worker.jobs where task_identifier = 'send_notice'`)
    .then(({ rows }) => rows.map(({ attempts }) => attempts));

/** How often those were tried that failed and wait to be tried again. */
const jobsFailed = () =>
  world.pool
    .query<{ attempts: number }>(
      `select attempts from graphile_worker.jobs
        where task_identifier = 'send_notice' and last_error is not null and locked_at is null`,
    )
    .then(({ rows }) => rows.map(({ attempts }) => attempts));

/** By whoever takes mail for our sender's address. */
async function report(bytes: string, secret = SECRET): Promise<number> {
  const t = Math.floor(world.now().getTime() / 1000);
  const v1 = createHmac('sha256', secret).update(`${t}.`).update(bytes).digest('hex');
  const headers = { 'content-type': 'message/rfc822', 'x-letsdial-signature': `t=${t},v1=${v1}` };
  const { status } = await fetch(`${world.url}/v1/mail-reports`, { method: 'POST', headers, body: bytes });
  return status;
}

const dsn = (to: string, message_id: string): string =>
  [
    'From: MAILER-DAEMON@mx.example.org',
    'Message-ID: <1234@mx.example.org>',
    'Content-Type: multipart/report; report-type=delivery-status; boundary="b"',
    ...['', '--b', 'Content-Type: text/plain', '', 'It could not be delivered.', ''],
    ...['--b', 'Content-Type: message/delivery-status', '', 'Reporting-MTA: dns; mx.example.org', ''],
    ...[
      `Final-Recipient: rfc822; ${to}`,
      'Action: failed',
      'Status: 5.1.1',
      'Diagnostic-Code: smtp; 550 5.1.1 unknown',
      '',
    ],
    ...['--b', 'Content-Type: text/rfc822-headers', '', `Message-ID: ${message_id}`, '--b--', ''],
  ].join('\r\n');

describe('a mail that is refused for good', () => {
  it('is not tried again; no notices go there any more, and whoever signs in is told', async () => {
    refused('5.1.1 User unknown');
    await notify();
    await expect
      .poll(bounces, { timeout: 8_000 })
      .toEqual([{ class: 'no_mailbox', smtp_code: 550, status: '5.1.1', source: 'refusal' }]);
    await expect.poll(jobsLeft).toEqual([]);
    const here = await ada.signIn();
    expect(await here.get('/v1/session')).toMatchObject({ body: { email_is_undeliverable: true } });
    // The server would take it by now, but is not asked.
    mail.refuse(email, null);
    await notify();
    await expect.poll(async () => (await listed())?.held_back, { timeout: 8_000 }).toBe(1);
    expect(mail.mails(email)).toEqual([]);
    expect(await listed()).toMatchObject({ email_masked: 'a•••@e•••.org', class: 'no_mailbox', bounces: 1 });
    const { rows } = await world.pool.query<{ all: string }>(
      'select (select string_agg(b::text, chr(10)) from mail_bounce b) || (select string_agg(u::text, chr(10)) from undeliverable_address u) as all',
    );
    expect(rows[0]?.all).not.toContain(email.split('@')[0]);
  });

  it('keeps no word away of what could be somebody else’s doing', async () => {
    refused('5.1.1 User unknown');
    await notify();
    await expect.poll(bounces, { timeout: 8_000 }).toHaveLength(1);
    mail.refuse(email, null);
    await notify();
    for (const template of ['new_sign_in', 'port_out_requested', 'terms_changed'] as const) await notify(template);
    await expect.poll(() => mail.mails(email).length, { timeout: 8_000 }).toBe(3);
    await expect.poll(async () => (await listed())?.held_back, { timeout: 8_000 }).toBe(1);
  });

  it('keeps notices away for a while only, longer each time', async () => {
    const at = new Date('2027-01-01T00:00:00.000Z');
    const day = (days: number): Date => new Date(at.getTime() + days * 86_400_000);
    const told = { smtp_code: 550, status: null, source: 'refusal', report_sha256: null, at } as const;
    const lastDays = async (address_index: Buffer): Promise<number> => {
      let days = 0;
      while (await holdBack(world.pool, address_index, day(days))) days += 1;
      return days;
    };
    const full = Buffer.alloc(32, 1);
    for (let n = 0; n < 3; n += 1) await recordBounce(world.pool, { ...told, address_index: full, class: 'full' });
    expect(await lastDays(full)).toBe(1);
    const gone = Buffer.alloc(32, 2);
    const held: number[] = [];
    for (let n = 0; n < 6; n += 1) {
      await recordBounce(world.pool, { ...told, address_index: gone, class: 'no_mailbox' });
      held.push(await lastDays(gone));
    }
    expect(held).toEqual([7, 14, 28, 56, 90, 90]);
    await world.pool.query('update undeliverable_address set bounces = 2147483647 where address_index = $1', [gone]);
    expect(await lastDays(gone)).toBe(90);
  });

  it('keeps no code away that is asked for; one that comes back shows that mail arrives again', async () => {
    refused('5.2.2 Mailbox full', 552);
    await notify();
    await expect.poll(bounces, { timeout: 8_000 }).toMatchObject([{ class: 'full' }]);
    mail.refuse(email, null);
    const anyone = world.client();
    expect(await anyone.post('/v1/password-reset', { email })).toMatchObject({ status: 202 });
    const code = await codeInMail(mail, email);
    expect(await listed()).toBeDefined();
    const password = 'correct horse battery staple 12';
    expect(await anyone.post('/v1/password-reset/end', { email, code, password })).toMatchObject({ status: 204 });
    expect(await listed()).toBeUndefined();
    await notify();
    await expect
      .poll(() => mail.mails(email).map(({ subject }) => subject), { timeout: 8_000 })
      .toContain('Letsdial: We have received your payment');
  });

  it('because of us is tried again, and the address is blamed for nothing', async () => {
    refused('5.7.1 Your network is on a list', 554);
    await notify();
    await expect
      .poll(bounces, { timeout: 8_000 })
      .toMatchObject([{ class: 'policy', smtp_code: 554, status: '5.7.1' }]);
    await expect.poll(jobsFailed).toEqual([1]);
    // It is tried again when this test says so: by itself it would be in less than three seconds.
    await world.pool.query(
      `select graphile_worker.reschedule_jobs(array_agg(id), run_at => now() + interval '1 hour') from graphile_worker.jobs`,
    );
    expect(await bounces()).toHaveLength(1);
    expect(await listed()).toBeUndefined();
    refused('Content rejected', 550, 'content');
    await world.pool.query(
      `select graphile_worker.reschedule_jobs(array_agg(id), run_at => now()) from graphile_worker.jobs`,
    );
    await expect
      .poll(bounces, { timeout: 8_000 })
      .toMatchObject([{ class: 'policy' }, { class: 'policy', smtp_code: 550 }]);
    await expect.poll(jobsFailed).toEqual([2]);
    mail.refuse(email, null);
    await world.pool.query(
      `select graphile_worker.reschedule_jobs(array_agg(id), run_at => now()) from graphile_worker.jobs`,
    );
    await expect.poll(() => mail.mails(email).length, { timeout: 8_000 }).toBe(1);
  });

  it('for the moment only is tried again, and nothing is written down', async () => {
    refused('4.2.1 Try again later', 450);
    await notify();
    await expect.poll(jobsFailed).toEqual([1]);
    expect(await bounces()).toEqual([]);
    await world.pool.query('select graphile_worker.complete_jobs(array_agg(id)) from graphile_worker.jobs');
  });
});

describe('a report that a mail did not arrive', () => {
  it('is taken where it is signed and of a mail of ours to that address, once', async () => {
    await notify();
    await expect.poll(() => mail.mails(email).length, { timeout: 8_000 }).toBe(1);
    const message_id = mail.mails(email)[0]?.message_id ?? '';
    const told = dsn(email, message_id);
    expect(await report(told, 'another secret that is long')).toBe(403);
    // Somebody writes to our sender's address what looks like a report.
    expect(await report(dsn(email, '<no-such-mail@letsdial.example>'))).toBe(204);
    const eve = await makeUser(world, { email: `eve-${email}` });
    expect(await report(dsn(`eve-${email}`, message_id))).toBe(204);
    expect(await (await eve.signIn()).get('/v1/session')).toMatchObject({ body: { email_is_undeliverable: false } });
    expect(await bounces()).toEqual([]);
    expect([await report(told), await report(told)]).toEqual([204, 204]);
    expect(await bounces()).toEqual([{ class: 'no_mailbox', smtp_code: 550, status: '5.1.1', source: 'report' }]);
    expect(await listed()).toMatchObject({ bounces: 1 });
    for (const nonsense of ['', 'x'.repeat(150_000), '{}']) expect(await report(nonsense)).toBe(204);
  });
});

describe('the desk', () => {
  it('clears an address, which the log tells; notices go there again', async () => {
    refused('5.1.1 User unknown');
    await notify();
    await expect.poll(listed, { timeout: 8_000 }).toBeDefined();
    const before = await looks();
    const id = (await listed())?.undeliverable_id ?? '';
    expect(await looks()).toBe(before + 1);
    const path = `/v1/admin/undeliverable-addresses/${id}`;
    const finance = await (await makeAdmin(world, ['finance'])).signIn();
    expect(await finance.ask('DELETE', path)).toMatchObject({ status: 403 });
    expect(await support.ask('DELETE', path)).toMatchObject({ status: 204 });
    expect(await support.ask('DELETE', path)).toMatchObject({ status: 404 });
    const { rows } = await world.pool.query('select action, detail from audit_log where subject = $1', [
      `undeliverable_address:${id}`,
    ]);
    expect(rows).toEqual([
      { action: 'undeliverable_address.clear', detail: { user_id: ada.user_id, class: 'no_mailbox' } },
    ]);
    mail.refuse(email, null);
    await notify();
    await expect.poll(() => mail.mails(email).length, { timeout: 8_000 }).toBe(1);
  });
});
