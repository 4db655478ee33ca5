import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { mailedWorld } from '../testing/mailed_world.ts';
import { makeUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import type { PortalWorld } from '../testing/portal_world.ts';
import { codeInMail, codeInText, register, somePhone } from '../testing/registering.ts';

const PASSWORD = 'seven quiet lanterns drift upstream';
const NEW_PASSWORD = 'thirteen green doors along the quay';
const DAY_MS = 86_400_000;

let mail: MailCatcher;
let world: PortalWorld;
let end: () => Promise<void>;
let people = 0;
let email: string;
let stolen: string;
let phone: string;
let owner: { user_id: string; account_id: string };
let here: PortalClient;

beforeAll(async () => {
  ({ mail, world, end } = await mailedWorld());
});

afterAll(() => end());

beforeEach(async () => {
  people += 1;
  [email, stolen, phone] = [`owner-${people}@example.org`, `thief-${people}@example.org`, somePhone()];
  const registered = await register(world, mail, { email, phone });
  [here, owner] = [registered.client, registered.reply.body];
  const set = await here.ask('PUT', '/v1/credentials/password', { body: { password: PASSWORD } });
  expect(set).toMatchObject({ status: 204 });
});

async function signIn(address = email): Promise<PortalClient> {
  world.advance(31_000);
  const client = world.client();
  const signed_in = await client.post('/v1/sign-in/password', { email: address, password: PASSWORD });
  expect(signed_in).toMatchObject({ status: 200 });
  return client;
}

async function moveTo(client: PortalClient, address: string): Promise<void> {
  const count = mail.mails(address).filter(({ text }) => text.includes('Code: ')).length;
  expect(await client.post('/v1/profile/email', { email: address })).toMatchObject({ status: 202 });
  const code = await codeInMail(mail, address, count + 1);
  expect(await client.post('/v1/profile/email/confirmation', { code })).toMatchObject({ status: 204 });
  world.advance(1_000);
}

async function ring(client: PortalClient, number: string): Promise<void> {
  expect(await client.post('/v1/profile/phone', { phone: number })).toMatchObject({ status: 202 });
  const code = await codeInText(world.pool, number);
  expect(await client.post('/v1/profile/phone/confirmation', { code })).toMatchObject({ status: 204 });
}

/** That one of the sign-ins was not them; the newest is the first. */
async function disown(client: PortalClient, nth = 0): Promise<void> {
  const { body } = await client.get<{ items: { login_event_id: string }[] }>('/v1/login-events');
  const path = `/v1/login-events/${body.items[nth]?.login_event_id ?? ''}/not-me`;
  expect(await client.post(path)).toMatchObject({ status: 204 });
}

const endReset = (to: string, code: string, reset_token?: string): Promise<Reply> =>
  world.client().post('/v1/password-reset/end', { email: to, code, password: NEW_PASSWORD, reset_token });

const subjectsTo = (address: string): string[] =>
  mail.mails(address).map(({ subject }) => subject.replace(/^.*?: /u, ''));

async function audited(): Promise<unknown[]> {
  const { rows } = await world.pool.query<{ detail: unknown }>(
    `select detail from audit_log where action = 'sign_in.set_contacts_back' and account_id = $1`,
    [owner.account_id],
  );
  return rows.map(({ detail }) => detail);
}

describe('a sign-in that is disowned', () => {
  it('takes the address and the number with it that it set, and the code goes to whom it was stolen from', async () => {
    const [thief, their_phone] = [await signIn(), somePhone()];
    await moveTo(thief, stolen);
    await ring(thief, their_phone);
    const asked = await world.client().post<{ reset_token: string }>('/v1/password-reset', { email: stolen });
    const their_code = await codeInMail(mail, stolen, 2);

    await disown(here);
    const code = await codeInMail(mail, email, 2);
    expect(await endReset(stolen, their_code, asked.body.reset_token)).toMatchObject({ status: 422 });
    expect(await endReset(email, code)).toMatchObject({ status: 204 });
    const again = world.client();
    expect(await again.post('/v1/sign-in/password', { email, password: NEW_PASSWORD })).toMatchObject({ status: 200 });
    expect(await again.get('/v1/profile')).toMatchObject({ body: { email, phone } });
    const changes = await again.get<{ items: unknown[] }>('/v1/profile/changes');
    expect(changes.body.items).toEqual(
      expect.arrayContaining([
        expect.objectContaining({ field: 'email', before: stolen, after: email }),
        expect.objectContaining({ field: 'phone', before: their_phone, after: phone }),
      ]),
    );
    const { rows } = await world.pool.query('select number from verified_caller where account_id = $1', [
      owner.account_id,
    ]);
    expect(rows).toEqual([{ number: phone }]);
    expect(await audited()).toEqual([{ email: 'set_back', phone: 'set_back' }]);
    await expect
      .poll(() => subjectsTo(stolen), { timeout: 8_000 })
      .toContain('The address of your account was changed');
    const set_back = (): number =>
      mail.mails(email).filter(({ text }) => /^What was changed: the (address for mail|phone number)$/mu.test(text))
        .length;
    await expect.poll(set_back, { timeout: 8_000 }).toBe(2);
  });

  it('leaves an address where somebody else has the one before by now, which is on record', async () => {
    await moveTo(await signIn(), stolen);
    await makeUser(world, { email });
    await disown(here);
    await codeInMail(mail, stolen, 2);
    expect(await audited()).toEqual([{ email: 'taken', phone: 'unchanged' }]);
  });

  it('sets no address back that came within a month, whichever sign-in a thief disowns', async () => {
    const first = await signIn();
    await moveTo(first, stolen);
    const between = await signIn(stolen);
    await moveTo(between, email);
    await moveTo(between, `moved-${people}@example.org`);
    const codes = mail.mails(stolen).filter(({ text }) => text.includes('Code: ')).length;
    // The newest sign-in came when the thief's own address counted.
    await disown(first);
    await codeInMail(mail, email, 3);
    expect(mail.mails(stolen).filter(({ text }) => text.includes('Code: '))).toHaveLength(codes);
    expect(await audited()).toEqual([{ email: 'set_back', phone: 'unchanged' }]);
  });

  it('sets nothing back that counted for a month', async () => {
    await moveTo(await signIn(), stolen);
    world.advance(31 * DAY_MS);
    await disown(await signIn(stolen), 1);
    await codeInMail(mail, stolen, 2);
    expect(await audited()).toEqual([]);
  });

  it('lets no change through that was under way', async () => {
    const thief = await signIn();
    expect(await thief.post('/v1/profile/email', { email: stolen })).toMatchObject({ status: 202 });
    const code = await codeInMail(mail, stolen);
    // As it is between the end of that transaction and the end of his session.
    await world.pool.query('insert into reset_due (user_id, since) values ($1, $2)', [owner.user_id, world.now()]);
    expect(await thief.post('/v1/profile/email/confirmation', { code })).toMatchObject({ status: 401 });
    expect(await here.get('/v1/profile')).toMatchObject({ body: { email } });
  });
});
