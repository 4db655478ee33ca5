import { Secret } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { makeUser } from '../testing/people.ts';
import type { Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { ada, codeInMail, somePhone } from '../testing/registering.ts';
import { makeAdminUser } from './make_admin.ts';

const PASSWORD = 'nineteen calm herons by the weir';
const MINUTE_MS = 60_000;

let mail: MailCatcher;
let world: PortalWorld;

beforeAll(async () => {
  mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  world = await PortalWorld.begin({
    ...{ SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}`, CODES_PER_ADDRESS_PER_HOUR_MAX: '1000' },
    // Everybody here comes by one, which tells their addresses.
    PROXIES: '1',
  });
});

afterAll(async () => {
  await world.end();
  await mail.end();
});

/** From an address of their own. */
const from = (address: string) => ({ headers: { 'x-forwarded-for': address } });
const VICTIM = '192.0.2.10';
const STRANGER = '198.51.100.20';

const begin = (email: string, address = VICTIM): Promise<Reply<{ reset_token: string }>> =>
  world.client().post('/v1/password-reset', { email }, from(address));

interface Ending {
  code: string;
  reset_token?: string;
  password?: string;
}

const end = (email: string, ending: Ending, address = VICTIM): Promise<Reply<{ type: string }>> =>
  world.client().post('/v1/password-reset/end', { email, password: PASSWORD, ...ending }, from(address));

const wrongFor = (code: string): string => String((Number(code) + 1) % 1_000_000).padStart(6, '0');
const wrong = { status: 422, body: { type: 'urn:letsdial:problem:code_wrong' } };
const codesOf = (email: string): string[] =>
  mail.mails(email).flatMap(({ text }) => /Code: (\d{6})/u.exec(text)?.[1] ?? []);

describe('a code for a new password', () => {
  it('is not used up by the guesses of a stranger, with a secret of his own or without any', async () => {
    const email = 'victim@example.org';
    await makeUser(world, { email });
    const { reset_token } = (await begin(email)).body;
    const code = await codeInMail(mail, email);
    const theirs = (await begin(email, STRANGER)).body.reset_token;
    await codeInMail(mail, email, 2);
    const bad = wrongFor(code);
    for (let n = 0; n < 8; n += 1)
      expect(await end(email, { code: bad, reset_token: theirs }, STRANGER)).toMatchObject(wrong);
    const blind: number[] = [];
    for (let n = 0; n < 12; n += 1) blind.push((await end(email, { code: bad }, STRANGER)).status);
    expect(blind).toEqual([...Array.from({ length: 10 }, () => 422), 429, 429]);
    expect(await end(email, { code, reset_token })).toMatchObject({ status: 204 });
  });

  it('is looked at five times with its secret, and belongs to it and to its user', async () => {
    const [email, other] = ['five@example.org', 'other@example.org'];
    for (const one of [email, other]) await makeUser(world, { email: one });
    const { reset_token } = (await begin(email)).body;
    const code = await codeInMail(mail, email);
    // Somebody's own code and secret set nobody else's password.
    expect(await end(other, { code, reset_token })).toMatchObject(wrong);
    expect(await end(email, { code, reset_token: 'A'.repeat(43) })).toMatchObject(wrong);
    for (let n = 0; n < 5; n += 1) expect(await end(email, { code: wrongFor(code), reset_token })).toMatchObject(wrong);
    expect(await end(email, { code, reset_token })).toMatchObject(wrong);
  });

  it('counts without a secret as well, and ends what others had asked for', async () => {
    const email = 'lost@example.org';
    await makeUser(world, { email });
    const { reset_token } = (await begin(email)).body;
    const first = await codeInMail(mail, email);
    world.advance(1_000);
    await begin(email);
    const second = await codeInMail(mail, email, 2);
    expect(await end(email, { code: second })).toMatchObject({ status: 204 });
    expect(await end(email, { code: second })).toMatchObject(wrong);
    expect(await end(email, { code: first, reset_token })).toMatchObject(wrong);
  });

  it('is guessed at alike where there is somebody and where there is nobody', async () => {
    const known = 'here@example.org';
    await makeUser(world, { email: known });
    const answers: unknown[] = [];
    for (const email of [known, 'not-here@example.org']) {
      const { reset_token } = (await begin(email)).body;
      const statuses: number[] = [];
      for (let n = 0; n < 12; n += 1) statuses.push((await end(email, { code: '000000', reset_token })).status);
      for (let n = 0; n < 12; n += 1) statuses.push((await end(email, { code: '000000' })).status);
      answers.push(statuses);
    }
    expect(answers[0]).toEqual(answers[1]);
  });
});

describe('asking for a new password', () => {
  const register = (email: string): Promise<Reply> =>
    world.client().post('/v1/registration', { ...ada, email, phone: somePhone() }, from(STRANGER));

  it.each(['customer', 'admin'] as const)(
    'as a %s tells by no registration after it who has an account',
    async (as) => {
      const known = `known-${as}@example.org`;
      if (as === 'customer') await makeUser(world, { email: known });
      else {
        const totp_secret_base32 = new Secret({ size: 20 }).base32;
        const admin = { email: known, name: 'Boss', password: PASSWORD, roles: ['owner'] as const, totp_secret_base32 };
        await makeAdminUser(world, world.now(), admin);
      }
      const answers: unknown[] = [];
      for (const email of [known, `unknown-${as}@example.org`]) {
        await world.client().post('/v1/password-reset', { email, as }, from(STRANGER));
        if (email === known) await codeInMail(mail, email);
        const statuses: number[] = [];
        for (let n = 0; n < 6; n += 1) statuses.push((await register(email)).status);
        answers.push(statuses);
      }
      expect(answers[0]).toEqual([201, 201, 201, 201, 201, 429]);
      expect(answers[1]).toEqual(answers[0]);
    },
  );

  it('is still possible after a stranger registered with the address, or asked for many himself', async () => {
    const email = 'bothered@example.org';
    await makeUser(world, { email });
    for (let n = 0; n < 6; n += 1) await register(email);
    for (let n = 0; n < 5; n += 1) expect((await begin(email, STRANGER)).status).toBe(202);
    await expect.poll(() => codesOf(email).length, { timeout: 8_000 }).toBe(3);
    world.advance(MINUTE_MS);
    const { reset_token } = (await begin(email)).body;
    const code = await codeInMail(mail, email, 4);
    expect(await end(email, { code, reset_token })).toMatchObject({ status: 204 });
  });

  it('bothers nobody more than five times within an hour', async () => {
    const email = 'often@example.org';
    await makeUser(world, { email });
    for (let n = 0; n < 12; n += 1) await begin(email, `203.0.113.${n + 1}`);
    const left = async (): Promise<number> => {
      const { rows } = await world.pool.query<{ left: number }>(
        `select count(*)::int as left from graphile_worker.jobs where task_identifier in ('mail_reset_code', 'send_code_mail')`,
      );
      return rows[0]?.left ?? 0;
    };
    await expect.poll(left, { timeout: 8_000 }).toBe(0);
    expect(codesOf(email)).toHaveLength(5);
  });
});
