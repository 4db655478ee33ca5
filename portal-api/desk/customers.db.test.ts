import { randomUUID } from 'node:crypto';
import { Secret, TOTP } from 'otpauth';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { MailCatcher } from '../../deploy/mail/mail_catcher.ts';
import { makeAdmin, makeMember, makeUser } from '../testing/people.ts';
import type { TestUser } from '../testing/people.ts';
import type { PortalClient, Reply } from '../testing/portal_client.ts';
import { PortalWorld } from '../testing/portal_world.ts';
import { codeInMail } from '../testing/registering.ts';

interface Found {
  items: { account_id: string; name_masked: string }[];
}
interface Customer {
  people: { email_masked: string }[];
  version: number;
}
interface AdminUser {
  user_id: string;
  roles: string[];
  version: number;
}

const EMAIL = 'ada.long@example.org';
const PURPOSE = '?purpose=a+call+of+the+customer';

let mail: MailCatcher;
let world: PortalWorld;
let user: TestUser;
let here: PortalClient;
let support: PortalClient;
let owner: PortalClient;
let owner_id: string;

beforeAll(async () => {
  mail = await MailCatcher.begin({ host: '127.0.0.1', smtp_port: 0, http_port: 0 });
  world = await PortalWorld.begin({ SMTP_URL: `smtp://127.0.0.1:${mail.ports.smtp}` });
  user = await makeUser(world, { email: EMAIL, name: 'Ada Example' });
  await world.pool.query(`insert into did (number, account_id, state) values ('+493011111', $1, 'active')`, [
    user.account_id,
  ]);
  here = await user.signIn();
  support = await (await makeAdmin(world, ['support'])).signIn();
  const admin = await makeAdmin(world, ['owner']);
  owner_id = admin.user_id;
  owner = await admin.signIn();
});

afterAll(async () => {
  await world.end();
  await mail.end();
});

const search = (by: string, value: string, client = support): Promise<Reply<Found>> =>
  client.post<Found>('/v1/admin/customers/search', { by, value, purpose: 'somebody calls' });

async function actions(): Promise<string[]> {
  const { rows } = await world.pool.query<{ action: string }>(
    'select action from audit_log where account_id = $1 order by seq',
    [user.account_id],
  );
  return rows.map(({ action }) => action);
}

describe('a customer', () => {
  it('is found by what is known whole, and by nothing less', async () => {
    for (const [by, value] of [
      ['email', EMAIL.toUpperCase()],
      ['account_id', user.account_id],
      ['number', '+493011111'],
    ] as const) {
      const { body } = await search(by, value);
      expect(body.items).toMatchObject([{ account_id: user.account_id, name_masked: 'A••• E•••' }]);
    }
    expect((await search('email', 'ada')).body.items).toEqual([]);
    expect((await search('phone', '+493011111')).body.items).toEqual([]);
    expect(await search('email', EMAIL, here)).toMatchObject({ status: 403 });
  });

  it('of several that are found reads of each in its own log that it was', async () => {
    const [email, other] = ['several@example.org', await makeUser(world)];
    const several = await makeUser(world, { email });
    await world.pool.query(`insert into membership (account_id, user_id, role) values ($1, $2, 'billing')`, [
      ...[other.account_id, several.user_id],
    ]);
    const both = [several.account_id, other.account_id];
    const { body } = await search('email', email);
    expect(body.items.map((item) => item.account_id).toSorted()).toEqual(both.toSorted());
    const { rows } = await world.pool.query<{ account_id: string }>(
      `select account_id, detail from audit_log where action = 'customer.search' and account_id = any($1) order by account_id`,
      [both],
    );
    expect(rows).toEqual(both.toSorted().map((account_id) => ({ account_id, detail: { found: 2 } })));
    await search('email', 'nobody-at-all@example.org');
    const none = await world.pool.query(
      `select detail from audit_log where action = 'customer.search' and account_id is null order by seq desc limit 1`,
    );
    expect(none.rows).toEqual([{ detail: { found: 0 } }]);
  });

  it('is shown masked; one thing is revealed for five minutes to who asked, and the customer sees it', async () => {
    const path = `/v1/admin/customers/${user.account_id}`;
    expect(await support.get(path)).toMatchObject({ status: 422 });
    const masked = await support.get<Customer>(`${path}${PURPOSE}`);
    expect(masked.body.people).toMatchObject([{ email_masked: 'a•••@e•••.org' }]);
    expect(JSON.stringify(masked.body)).not.toContain('ada.long');
    const asked = { field: 'email', purpose: 'to call back' };
    const operations = await (await makeAdmin(world, ['operations'])).signIn();
    expect(await operations.post(`${path}/reveals`, asked)).toMatchObject({ status: 403 });
    const granted = await support.post<{ reveal_id: string }>(`${path}/reveals`, asked);
    expect(granted.status).toBe(201);
    const reveal = `/v1/admin/reveals/${granted.body.reveal_id}`;
    expect(await support.get(reveal)).toMatchObject({ body: { values: [{ value: EMAIL }] } });
    expect(await owner.get(reveal)).toMatchObject({ status: 404 });
    const kept = await world.pool.query<{ text: string }>(
      'select string_agg(body::text, $1) as text from idempotent_request',
      [' '],
    );
    expect(kept.rows[0]?.text).not.toContain(EMAIL);
    world.advance(301_000);
    expect(await support.get(reveal)).toMatchObject({ status: 404 });
    expect(await actions()).toEqual(
      expect.arrayContaining(['customer.search', 'customer.view_masked', 'customer.reveal', 'customer.view_revealed']),
    );
    const log = await here.get<{ items: Record<string, unknown>[] }>('/v1/access-log');
    expect(log.body.items[0]).toMatchObject({
      ...{ who: 'staff', roles: ['support'], action: 'customer.view_revealed', purpose: 'to call back' },
    });
    const stranger = await (await makeUser(world)).signIn();
    expect(await stranger.get('/v1/access-log')).toMatchObject({ body: { items: [] } });
  });

  it('is limited by whose work that is, at the version that was seen', async () => {
    const path = `/v1/admin/customers/${user.account_id}`;
    const finance = await (await makeAdmin(world, ['finance'])).signIn();
    const limits = {
      ...{ concurrent_calls_max: 2, calls_per_second_max: 1, spend_micros_per_hour_max: '5000000' },
      ...{ spend_micros_per_day_max: '9000000', rate_micros_per_minute_max: '0', blocked_prefixes: ['882'] },
      ...{ texts_per_second_max: 3, texts_per_day_max: 100 },
    };
    const body = { ...limits, reason: 'new' };
    const { version } = (await finance.get<Customer>(`${path}${PURPOSE}`)).body;
    expect(await support.ask('PUT', `${path}/limits`, { body, version })).toMatchObject({ status: 403 });
    expect(await finance.ask('PUT', `${path}/limits`, { body, version: 99 })).toMatchObject({ status: 412 });
    expect(await finance.ask('PUT', `${path}/limits`, { body, version })).toMatchObject({ status: 200, body: limits });
    const defaults = { ...body, texts_per_second_max: null, texts_per_day_max: null };
    const again = await finance.ask('PUT', `${path}/limits`, { body: defaults, version: version + 1 });
    expect(again).toMatchObject({ status: 200, body: { texts_per_day_max: null } });
    expect(await actions()).toContain('account.edit_limits');
  });

  it('is suspended, reinstated and closed, and nobody of a closed account stays signed in', async () => {
    const gone = await makeUser(world);
    const theirs = await gone.signIn();
    const owner_now = await (await makeAdmin(world, ['owner'])).signIn();
    const path = `/v1/admin/customers/${gone.account_id}/state`;
    const move = (event: string, version: number): Promise<Reply> =>
      owner_now.post(path, { event, reason: 'x' }, { version });
    expect(await move('reinstate', 1)).toMatchObject({ status: 409 });
    expect(await move('suspend', 1)).toMatchObject({ status: 200, body: { state: 'suspended', version: 2 } });
    expect(await move('reinstate', 2)).toMatchObject({ status: 200, body: { state: 'active' } });
    expect(await move('close', 3)).toMatchObject({ status: 200, body: { state: 'closed' } });
    expect(await theirs.get('/v1/session')).toMatchObject({ status: 401 });
    expect(await move('reinstate', 4)).toMatchObject({ status: 409 });
  });
});

describe('the operator’s people', () => {
  it('come in by a password that they set by mail and a second factor that an owner hands over', async () => {
    const [email, password] = ['new.one@example.org', 'seven quiet lanterns drift upstream'];
    const wish = { email, name: 'Eve Example', roles: ['finance', 'support'] };
    const idempotency_key = randomUUID();
    const make = (by: PortalClient, body: object = wish) =>
      by.post<{ user_id: string; totp: { secret_base32: string; uri: string } }>('/v1/admin/users', body, {
        idempotency_key,
      });
    expect(await make(support)).toMatchObject({ body: { type: 'urn:letsdial:problem:not_permitted' } });
    expect(await make(owner)).toMatchObject({ body: { type: 'urn:letsdial:problem:step_up_required' } });
    const maker = await makeAdmin(world, ['owner']);
    const proven = await maker.signIn();
    expect(await make(proven, { ...wish, roles: [] })).toMatchObject({ status: 422 });
    const made = await make(proven);
    expect(made.status).toBe(201);
    const { user_id, totp } = made.body;
    expect(totp.uri).toContain(totp.secret_base32);
    expect(await make(proven)).toMatchObject({ body: { type: 'urn:letsdial:problem:already_done' } });
    const again = await proven.post('/v1/admin/users', { ...wish, email: email.toUpperCase() });
    expect(again).toMatchObject({ body: { type: 'urn:letsdial:problem:conflict' } });

    const theirs = world.client();
    const signIn = () => theirs.post<{ ticket: string }>('/v1/sign-in/password', { email, password, as: 'admin' });
    expect(await signIn()).toMatchObject({ status: 401 });
    const code = await codeInMail(mail, email);
    const end = await theirs.post('/v1/password-reset/end', { email, password, as: 'admin', code });
    expect(end.status).toBe(204);
    const first = await signIn();
    expect(first.status).toBe(202);
    const token = new TOTP({ secret: Secret.fromBase32(totp.secret_base32) }).generate({
      timestamp: world.now().getTime(),
    });
    const second = { ticket: first.body.ticket, factor: 'totp', code: token };
    expect(await theirs.post('/v1/sign-in/second-factor', second)).toMatchObject({ status: 200, body: { user_id } });
    expect(await theirs.get('/v1/admin/finance-orders')).toMatchObject({ status: 200 });
    const { rows } = await world.pool.query<{ actor_id: string; detail: object }>(
      `select actor_id, detail from audit_log where action = 'admin_user.make' and subject = $1`,
      [`user:${user_id}`],
    );
    expect(rows).toEqual([{ actor_id: maker.user_id, detail: { roles: ['support', 'finance'] } }]);
  });

  it('have roles that an owner gives; a change signs them out, and one owner stays', async () => {
    const proven = await (await makeAdmin(world, ['owner'])).signIn();
    const someone = await makeAdmin(world, ['kyc']);
    const theirs = await someone.signIn();
    expect(await theirs.get('/v1/admin/users')).toMatchObject({ status: 403 });
    const { body } = await proven.get<{ items: AdminUser[] }>('/v1/admin/users');
    expect(body.items.find(({ user_id }) => user_id === someone.user_id)).toMatchObject({ roles: ['kyc'] });
    const path = (id: string): string => `/v1/admin/users/${id}/roles`;
    const roles = { roles: ['finance', 'support'] };
    expect(await proven.ask('PUT', path(someone.user_id), { body: roles, version: 1 })).toMatchObject({
      status: 200,
      body: { roles: ['support', 'finance'], version: 2 },
    });
    expect(await theirs.get('/v1/session')).toMatchObject({ status: 401 });
    expect(await proven.ask('PUT', path(randomUUID()), { body: roles, version: 1 })).toMatchObject({ status: 404 });

    const owners = body.items.filter((one) => one.roles.includes('owner'));
    const replies: number[] = [];
    for (const { user_id, version } of owners.filter((one) => one.user_id !== owner_id)) {
      const locked = await world.pool
        .query(`update portal_user set state = 'locked' where id = $1 and version = $2`, [user_id, version])
        .then(() => 200);
      replies.push(locked);
    }
    await expect(
      world.pool.query(`update portal_user set admin_roles = '{kyc}' where id = $1`, [owner_id]),
    ).rejects.toThrow(/stay owner/);
    const last = await proven.ask('PUT', path(owner_id), { body: { roles: ['kyc'] }, version: 1 });
    expect(last).toMatchObject({ status: 409, body: { type: 'urn:letsdial:problem:conflict' } });
  });
});

describe('the log', () => {
  it('is read by privacy and owners, who say why', async () => {
    const privacy = await (await makeAdmin(world, ['privacy'])).signIn();
    expect(await support.get('/v1/admin/audit?purpose=x')).toMatchObject({ status: 403 });
    expect(await privacy.get('/v1/admin/audit')).toMatchObject({ status: 422 });
    const path = `/v1/admin/audit?purpose=review&action=customer.reveal&account_id=${user.account_id}`;
    const { body } = await privacy.get<{ items: { detail: unknown }[]; next_cursor: string | null }>(path);
    expect(body.items).toMatchObject([{ detail: { field: 'email' }, purpose: 'to call back' }]);
    const all = await privacy.get<{ next_cursor: string }>('/v1/admin/audit?purpose=review&limit=2');
    const more = await privacy.get<{ items: unknown[] }>(
      `/v1/admin/audit?purpose=review&limit=2&cursor=${all.body.next_cursor}`,
    );
    expect(more.body.items).toHaveLength(2);
    const member = await (await makeMember(world, user.account_id, 'member')).signIn();
    expect(await member.get('/v1/access-log')).toMatchObject({ status: 200 });
  });
});
