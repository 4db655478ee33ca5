import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { codeInMail } from '../testing/registering.ts';
import { makeAdminUser } from './make_admin.ts';

const PASSWORD = 'seven quiet lanterns drift upstream';
const MINUTE_MS = 60_000;

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

/** A customer with a password. */
async function withPassword(email: string): Promise<TestUser & { here: PortalClient }> {
  const user = await makeUser(world, { email });
  const here = await user.signIn();
  expect(await here.ask('PUT', '/v1/credentials/password', { body: { password: PASSWORD } })).toMatchObject({
    status: 204,
  });
  return { ...user, here };
}

const signIn = (email: string, password: string, as: 'customer' | 'admin' = 'customer', client = world.client()) =>
  client.post<Record<string, unknown>>('/v1/sign-in/password', { email, password, as });

const codeOf = (secret_base32: string, steps = 0): string =>
  new TOTP({ secret: Secret.fromBase32(secret_base32) }).generate({
    timestamp: world.now().getTime() + steps * 30_000,
  });

/** The same answer but for its id. */
const told = ({ status, body }: { status: number; body: unknown }) => ({
  status,
  ...(body as Record<string, unknown>),
  request_id: '',
});

describe('a password', () => {
  it('signs in whoever has it, in whatever spelling of the address', async () => {
    const { user_id, account_id } = await withPassword('pia@example.org');
    const client = world.client();
    expect(await signIn(' PIA@Example.org'.trim(), PASSWORD, 'customer', client)).toMatchObject({
      status: 200,
      body: { kind: 'signed_in', user_id, account_id, role: 'owner' },
    });
    expect(await client.get('/v1/session')).toMatchObject({ status: 200, body: { user_id } });
  });

  it('is refused alike where it is wrong and where there is nobody', async () => {
    await withPassword('known@example.org');
    await makeUser(world, { email: 'without@example.org' });
    const answers = [];
    for (const email of ['known@example.org', 'without@example.org', 'nobody@example.org']) {
      answers.push(told(await signIn(email, 'some other words that are long')));
    }
    expect(answers[0]).toMatchObject({ status: 401, type: 'urn:letsdial:problem:sign_in_failed' });
    expect(answers[1]).toEqual(answers[0]);
    expect(answers[2]).toEqual(answers[0]);
    // And the same after so many guesses.
    const limited = [];
    for (const email of ['known@example.org', 'nobody@example.org']) {
      for (let n = 0; n < 10; n += 1) await signIn(email, 'x');
      const reply = told(await signIn(email, 'x'));
      limited.push({ ...reply, retry_after_seconds: 0, detail: '' });
    }
    expect(limited[0]).toMatchObject({ status: 429 });
    expect(limited[1]).toEqual(limited[0]);
    expect(await signIn('known@example.org', PASSWORD)).toMatchObject({ status: 429 });
    world.advance(16 * MINUTE_MS);
    expect(await signIn('known@example.org', PASSWORD)).toMatchObject({ status: 200 });
  });

  it('is not one that is soon guessed, and is asked for again before something sensitive', async () => {
    const { here } = await withPassword('sam@example.org');
    const set = (password: string) => here.ask('PUT', '/v1/credentials/password', { body: { password } });
    for (const password of ['password123', 'sam@example.org', 'qwertzuiop']) {
      expect(await set(password)).toMatchObject({ status: 422, body: { errors: [{ path: 'body.password' }] } });
    }
    world.advance(6 * MINUTE_MS);
    const better = 'nine other words nobody writes down';
    expect(await set(better)).toMatchObject({ status: 403, body: { type: 'urn:letsdial:problem:step_up_required' } });
    expect(await here.post('/v1/session/proof', { password: 'not that one' })).toMatchObject({ status: 401 });
    expect(await here.post('/v1/session/proof', { password: PASSWORD })).toMatchObject({ status: 204 });
    expect(await set(better)).toMatchObject({ status: 204 });
    const read = await world.pool.query<{ password_argon2: string }>(
      `select password_argon2 from portal_user where password_argon2 like '$argon2id$v=19$m=19456,t=2,p=1$%' limit 1`,
    );
    expect(read.rows).toHaveLength(1);
  });

  it('signs everybody else out when it changes', async () => {
    const { here } = await withPassword('eli@example.org');
    const there = world.client();
    await signIn('eli@example.org', PASSWORD, 'customer', there);
    expect(await there.get('/v1/session')).toMatchObject({ status: 200 });
    await here.ask('PUT', '/v1/credentials/password', { body: { password: 'five more lamps at the harbour' } });
    expect(await there.get('/v1/session')).toMatchObject({ status: 401 });
    expect(await here.get('/v1/session')).toMatchObject({ status: 200 });
  });

  it('that was forgotten is set anew by a code that was mailed, and only then', async () => {
    const { here } = await withPassword('zoe@example.org');
    const begin = (email: string) => world.client().post<{ reset_token: string }>('/v1/password-reset', { email });
    const [unknown, known] = [await begin('nobody@example.org'), await begin('zoe@example.org')];
    expect([told(unknown), told(known)].map((one) => ({ ...one, reset_token: '' }))).toEqual(
      Array.from({ length: 2 }, () => ({ status: 202, reset_token: '', request_id: '' })),
    );
    expect(known.body.reset_token).toMatch(/^[\w-]{43}$/u);
    const code = await codeInMail(mail, 'zoe@example.org');
    const password = 'eleven slow ferries cross at dawn';
    const end = (email: string, tried: string) =>
      world.client().post('/v1/password-reset/end', { email, code: tried, password });
    const wrong = String((Number(code) + 1) % 1_000_000).padStart(6, '0');
    expect(told(await end('zoe@example.org', wrong))).toEqual(told(await end('nobody@example.org', wrong)));
    expect(await end('zoe@example.org', code)).toMatchObject({ status: 204 });
    expect(await end('zoe@example.org', code)).toMatchObject({ status: 422 });
    expect(await here.get('/v1/session')).toMatchObject({ status: 401 });
    expect(await signIn('zoe@example.org', PASSWORD)).toMatchObject({ status: 401 });
    expect(await signIn('zoe@example.org', password)).toMatchObject({ status: 200 });
    expect(mail.mails('nobody@example.org')).toEqual([]);
  });
});

describe('a second factor', () => {
  async function withCodes(email: string) {
    const user = await withPassword(email);
    const { body } = await user.here.post<{ secret_base32: string; uri: string }>('/v1/credentials/totp');
    expect(body.uri).toMatch(/^otpauth:\/\/totp\/Letsdial/u);
    expect(await signIn(email, PASSWORD)).toMatchObject({ status: 200 });
    const code = codeOf(body.secret_base32);
    const confirmed = await user.here.post<{ recovery_codes: string[] }>('/v1/credentials/totp/confirmation', { code });
    expect(confirmed).toMatchObject({ status: 201 });
    const { recovery_codes } = confirmed.body;
    return { ...user, secret: body.secret_base32, confirmed_with: code, recovery_codes };
  }

  const finish = (ticket: unknown, factor: string, code: string, client = world.client()) =>
    client.post<Record<string, unknown>>('/v1/sign-in/second-factor', { ticket, factor, code });

  it('is asked for once it is on; a code counts once', async () => {
    const { user_id, secret, confirmed_with } = await withCodes('tom@example.org');
    const first = await signIn('tom@example.org', PASSWORD);
    expect(first).toMatchObject({ status: 202, body: { kind: 'second_factor' } });
    expect(first.headers.getSetCookie()).toEqual([]);
    // The code that confirmed it was used.
    expect(await finish(first.body['ticket'], 'totp', confirmed_with)).toMatchObject({ status: 401 });
    world.advance(30_000);
    const code = codeOf(secret);
    const other = await signIn('tom@example.org', PASSWORD);
    const client = world.client();
    expect(await finish(first.body['ticket'], 'totp', code, client)).toMatchObject({ status: 200, body: { user_id } });
    expect(await client.get('/v1/session')).toMatchObject({ status: 200 });
    expect(await finish(other.body['ticket'], 'totp', code)).toMatchObject({ status: 401 });
    expect(await finish(first.body['ticket'], 'totp', codeOf(secret, 1))).toMatchObject({ status: 401 });
    // A clock that is a step behind or ahead does not matter; three do, and so do two unless a step ends just now.
    expect(await finish(other.body['ticket'], 'totp', codeOf(secret, 3))).toMatchObject({ status: 401 });
    expect(await finish(other.body['ticket'], 'totp', codeOf(secret, 1))).toMatchObject({ status: 200 });
  });

  it('is looked at five times for each first factor', async () => {
    const { secret } = await withCodes('uma@example.org');
    world.advance(60_000);
    const { body } = await signIn('uma@example.org', PASSWORD);
    const right = codeOf(secret);
    const wrong = right === '123456' ? '654321' : '123456';
    const guesses = await Promise.all(Array.from({ length: 8 }, () => finish(body['ticket'], 'totp', wrong)));
    expect(guesses.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 401));
    expect(await finish(body['ticket'], 'totp', right)).toMatchObject({ status: 401 });
    const again = await signIn('uma@example.org', PASSWORD);
    expect(await finish(again.body['ticket'], 'totp', right)).toMatchObject({ status: 200 });
  });

  it('that was lost is stood in for by a recovery code, each once', async () => {
    const { recovery_codes } = await withCodes('vic@example.org');
    expect(new Set(recovery_codes).size).toBe(10);
    const [code = ''] = recovery_codes;
    const tickets = await Promise.all([1, 2, 3].map(() => signIn('vic@example.org', PASSWORD)));
    const uses = await Promise.all(
      tickets.map(({ body }) => finish(body['ticket'], 'recovery_code', code.replaceAll('-', ' ').toUpperCase())),
    );
    expect(uses.map(({ status }) => status).toSorted()).toEqual([200, 401, 401]);
    const client = world.client();
    const { body } = await signIn('vic@example.org', PASSWORD);
    await finish(body['ticket'], 'recovery_code', recovery_codes[1] ?? '', client);
    expect(await client.get('/v1/credentials')).toMatchObject({ body: { has_totp: true, recovery_codes_left: 8 } });
    const renewed = await client.post<{ recovery_codes: string[] }>('/v1/credentials/recovery-codes');
    expect(renewed).toMatchObject({ status: 201 });
    const next = await signIn('vic@example.org', PASSWORD);
    expect(await finish(next.body['ticket'], 'recovery_code', recovery_codes[2] ?? '')).toMatchObject({ status: 401 });
    expect(await client.ask('DELETE', '/v1/credentials/totp')).toMatchObject({ status: 204 });
    expect(await signIn('vic@example.org', PASSWORD)).toMatchObject({ status: 200 });
  });

  it('is asked of an admin always', async () => {
    const totp_secret_base32 = new Secret({ size: 20 }).base32;
    const email = 'boss@example.org';
    const admin = { email, name: 'Boss', password: PASSWORD, roles: ['owner'] as const, totp_secret_base32 };
    const made = await makeAdminUser(world, world.now(), admin);
    expect(await makeAdminUser(world, world.now(), admin)).toBeNull();
    expect(await signIn(email, PASSWORD)).toMatchObject({ status: 401 });
    const first = await signIn(email, PASSWORD, 'admin');
    expect(first).toMatchObject({ status: 202 });
    const client = world.client();
    expect(await finish(first.body['ticket'], 'totp', codeOf(totp_secret_base32), client)).toMatchObject({
      status: 200,
      body: { user_id: made?.user_id, account_id: null, admin_roles: ['owner'] },
    });
    expect(await client.get('/v1/session')).toMatchObject({ body: { kind: 'admin' } });
    expect(await client.ask('DELETE', '/v1/credentials/totp')).toMatchObject({ status: 403 });
    await world.pool.query('delete from totp where user_id = $1', [made?.user_id]);
    expect(await signIn(email, PASSWORD, 'admin')).toMatchObject({
      status: 401,
      body: { type: 'urn:letsdial:problem:second_factor_required' },
    });
  });
});

describe('the list of sign-ins', () => {
  interface Event {
    login_event_id: string;
    method: string;
    result: string;
    is_new_device: boolean;
  }
  const events = async (client: PortalClient): Promise<Event[]> =>
    (await client.get<{ items: Event[] }>('/v1/login-events?limit=50')).body.items;

  it('has those that were refused too, and tells the owner of a device that is new', async () => {
    const { here } = await withPassword('ines@example.org');
    const known = { 'user-agent': 'a known browser' };
    const post = (password: string, headers: Record<string, string>) =>
      world.client().post('/v1/sign-in/password', { email: 'ines@example.org', password }, { headers });
    for (const [password, headers] of [
      [PASSWORD, known],
      ['wrong', known],
      [PASSWORD, known],
      [PASSWORD, { 'user-agent': 'something new' }],
    ] as const) {
      world.advance(1_000);
      await post(password, headers);
    }
    const seen = (await events(here)).map(({ method, result, is_new_device }) => [method, result, is_new_device]);
    expect(seen).toEqual([
      ['password', 'signed_in', true],
      ['password', 'signed_in', false],
      ['password', 'refused', false],
      ['password', 'signed_in', true],
    ]);
    const subjects = () => mail.mails('ines@example.org').filter(({ subject }) => subject.includes('somewhere new'));
    await expect.poll(() => subjects().length, { timeout: 8_000 }).toBe(2);
    const pages = [];
    let cursor: string | null = '';
    while (cursor !== null) {
      const reply: { body: { items: Event[]; next_cursor: string | null } } = await here.get(
        `/v1/login-events?limit=1${cursor === '' ? '' : `&cursor=${cursor}`}`,
      );
      pages.push(...reply.body.items);
      cursor = reply.body.next_cursor;
    }
    expect(pages).toEqual(await events(here));
  });

  it('is where a sign-in is disowned: everybody is out until a new password was set by mail', async () => {
    const email = 'olaf@example.org';
    const { user_id, here } = await withPassword(email);
    world.advance(1_000);
    const thief = world.client();
    await signIn(email, PASSWORD, 'customer', thief);
    expect(await thief.post('/v1/credentials/totp')).toMatchObject({ status: 201 });
    const [event] = await events(here);
    const stranger = await (await makeUser(world)).signIn();
    const path = `/v1/login-events/${event?.login_event_id ?? ''}/not-me`;
    expect(await stranger.post(path)).toMatchObject({ status: 404 });
    expect(await here.post(path)).toMatchObject({ status: 204 });
    expect(await thief.get('/v1/session')).toMatchObject({ status: 401 });
    expect(await here.get('/v1/session')).toMatchObject({ status: 401 });
    expect(await signIn(email, PASSWORD)).toMatchObject({ status: 401 });
    const code = await codeInMail(mail, email);
    const password = 'thirteen green doors along the quay';
    expect(await world.client().post('/v1/password-reset/end', { email, code, password })).toMatchObject({
      status: 204,
    });
    expect(await signIn(email, password)).toMatchObject({ status: 200 });
    const left = await world.pool.query('select 1 from totp where user_id = $1', [user_id]);
    expect(left.rows).toEqual([]);
  });

  it('keeps an address for its time, then its network, then nothing; and is not rewritten', async () => {
    const { user_id } = await makeUser(world);
    const put = (id: string, days: number, address: string) =>
      world.pool.query(
        `insert into login_event (id, user_id, at, method, result, address, user_agent)
         values ($1, $2, $3::timestamptz - make_interval(days => $4), 'password', 'signed_in', $5, 'x')`,
        [id, user_id, world.now(), days, address],
      );
    await put('00000000-0000-4000-8000-00000000000a', 91, '203.0.113.77');
    await put('00000000-0000-4000-8000-00000000000b', 91, '2001:db8:1:2:3::4');
    await put('00000000-0000-4000-8000-00000000000c', 10, '203.0.113.77');
    await put('00000000-0000-4000-8000-00000000000d', 181, '203.0.113.77');
    await world.pool.query(`select graphile_worker.add_job('forget_sign_ins', payload => '{}')`);
    const left = () =>
      world.pool
        .query<{ address: string }>('select address::text from login_event where user_id = $1 order by id', [user_id])
        .then(({ rows }) => rows.map(({ address }) => address));
    await expect.poll(left).toEqual(['203.0.113.0/24', '2001:db8:1::/48', '203.0.113.77/32']);
    for (const change of [`result = 'refused'`, `address = '198.51.100.1'`, `at = now()`]) {
      await expect(world.pool.query(`update login_event set ${change} where user_id = $1`, [user_id])).rejects.toThrow(
        /does not change/u,
      );
    }
  });

  it('is cut to its network also where somebody changed something about themselves, of which nothing else is', async () => {
    const { user_id } = await makeUser(world);
    for (const [days, address] of [[91, '203.0.113.77'] as const, [10, '203.0.113.78'] as const, [92, null] as const]) {
      await world.pool.query(
        `insert into profile_change (id, user_id, at, field, address)
         values (gen_random_uuid(), $1, $2::timestamptz - make_interval(days => $3), 'password', $4)`,
        [user_id, world.now(), days, address],
      );
    }
    await world.pool.query(`select graphile_worker.add_job('forget_sign_ins', payload => '{}')`);
    const left = () =>
      world.pool
        .query<{ address: string | null }>(
          'select address::text from profile_change where user_id = $1 order by at desc',
          [user_id],
        )
        .then(({ rows }) => rows.map(({ address }) => address));
    await expect.poll(left).toEqual(['203.0.113.78/32', '203.0.113.0/24', null]);
    for (const change of [`field = 'totp'`, `address = '198.51.100.1'`, 'address = null', 'at = now()']) {
      await expect(
        world.pool.query(`update profile_change set ${change} where user_id = $1 and address is not null`, [user_id]),
      ).rejects.toThrow(/does not change/u);
    }
    await expect(world.pool.query('delete from profile_change where user_id = $1', [user_id])).rejects.toThrow(
      /append-only/u,
    );
  });
});
