import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { makeMember, makeUser } from '../testing/people.ts';
import { PortalWorld } from '../testing/portal_world.ts';
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

describe('a notice', () => {
  it('goes to the person, or to each owner of the account, with its facts', async () => {
    const ada = await makeUser(world, { email: 'ada@example.org' });
    const second = await makeMember(world, ada.account_id, 'owner');
    const member = await makeMember(world, ada.account_id, 'member');
    const facts = { number: '+4930901820123', renewed_on: '2027-03-01', price: '5.00 EUR' };
    await queueNotice(world.pool, { to: { account_id: ada.account_id }, template: 'renewal_due', facts });
    await expect.poll(() => mail.mails('ada@example.org').length, { timeout: 8_000 }).toBe(1);
    await expect.poll(() => mail.mails(`${second.user_id}@example.org`).length, { timeout: 8_000 }).toBe(1);
    expect(mail.mails('ada@example.org')[0]).toMatchObject({
      from: 'no-reply@letsdial.example',
      subject: 'Letsdial: A number of yours is renewed soon',
    });
    expect(mail.mails('ada@example.org')[0]?.text).toContain('Renewed on: 1 March 2027\nPrice: €5.00\n');
    expect(mail.mails(`${member.user_id}@example.org`)).toEqual([]);
    const user_id = member.user_id;
    await queueNotice(world.pool, { to: { user_id }, template: 'appeal_decided', facts: {} });
    await expect.poll(() => mail.mails(`${user_id}@example.org`).length, { timeout: 8_000 }).toBe(1);
  });

  it('waits while the server of mail is away, and comes when it is back', async () => {
    const { user_id } = await makeUser(world, { email: 'late@example.org' });
    const { http, smtp } = mail.ports;
    await mail.end();
    await queueNotice(world.pool, { to: { user_id }, template: 'payment_received', facts: {} });
    const failed = () =>
      world.pool
        .query<{ attempts: number }>(`select attempts from graphile_worker.jobs where last_error is not null`)
        .then(({ rows }) => rows.map(({ attempts }) => attempts));
    await expect.poll(failed, { timeout: 8_000 }).toEqual([1]);
    // Somebody else's connection may have one of its ports by chance, for a moment.
    const began = () => MailCatcher.begin({ host: '127.0.0.1', smtp_port: smtp, http_port: http });
    mail = await vi.waitFor(began, { timeout: 10_000, interval: 250 });
    await expect.poll(() => mail.mails('late@example.org').length, { timeout: 15_000 }).toBe(1);
  });

  it('whose template is none fails loudly', async () => {
    const { user_id } = await makeUser(world);
    await world.pool.query(`select graphile_worker.add_job('send_notice', payload => $1)`, [
      JSON.stringify({ user_id, template: 'never_written', facts: {} }),
    ]);
    const errors = () =>
      world.pool
        .query<{ last_error: string }>('select last_error from graphile_worker.jobs where last_error is not null')
        .then(({ rows }) => rows.map(({ last_error }) => last_error).join(' '));
    await expect.poll(errors, { timeout: 8_000 }).toContain('there is no such template');
  });

  it('is read in the language of whoever it is for, and its times in the zone of the account that it is about', async () => {
    const berlin = await makeUser(world, { email: 'berta@example.org' });
    await world.pool.query(`update portal_user set locale = 'de-AT' where id = $1`, [berlin.user_id]);
    const other = await makeUser(world);
    await world.pool.query(`update account set time_zone = 'America/New_York' where id = $1`, [other.account_id]);
    await world.pool.query(`insert into membership (account_id, user_id, role) values ($1, $2, 'owner')`, [
      ...[other.account_id, berlin.user_id],
    ]);
    const facts = { number: '+4930901820123', until: '2027-03-01T22:30:00.000Z' };
    for (const { account_id } of [berlin, other]) {
      await queueNotice(world.pool, { to: { account_id }, template: 'number_suspended', facts });
    }
    await expect.poll(() => mail.mails('berta@example.org').length, { timeout: 8_000 }).toBe(2);
    const texts = mail.mails('berta@example.org').map(({ text }) => text.replaceAll('\u202F', ' '));
    expect(mail.mails('berta@example.org')[0]?.subject).toBe('Letsdial: Eine Ihrer Nummern ist gesperrt');
    const untils = texts.map((text) => /^Bis: (.*)$/mu.exec(text)?.[1]).sort();
    expect(untils).toEqual(['1. März 2027 um 17:30 GMT-5', '1. März 2027 um 23:30 MEZ']);
  });

  it('can be read where mails are caught, and nothing else can', async () => {
    const url = `http://127.0.0.1:${mail.ports.http}`;
    const listed = await fetch(`${url}/mails?to=late@example.org`).then((reply) => reply.json());
    expect(listed).toMatchObject({ items: [{ to: ['late@example.org'] }] });
    expect(await fetch(url).then((reply) => reply.text())).toContain('to late@example.org');
    expect(await fetch(`${url}/elsewhere`).then(({ status }) => status)).toBe(404);
    expect(await fetch(url, { method: 'POST' }).then(({ status }) => status)).toBe(405);
  });
});
